package source

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// maxURL bounds a URL's length in bytes. The longest that are known, with policies in them, have 12 KB.
const maxURL = 64 << 10

// parseURL reads a URL as browsers and fetch do (WHATWG URL Standard), with base for a relative one, or nil. What may not
// stand in a request is escaped; nothing else is touched, not even a bare "%": a signature covers the text as it is.
func parseURL(base *url.URL, raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, failure.New(op, failure.NoArchive, "the archive's URL has %d bytes; %d are taken at most", len(raw), maxURL)
	}
	raw = strings.Trim(raw, " \x00\t\n\f\r")
	raw = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(raw)
	raw, _, _ = strings.Cut(raw, "#")
	front, query, hasQuery := strings.Cut(raw, "?")
	at := pathStart(front)
	path := escape(front[at:], "\"<>`{}^")
	u, err := url.Parse(front[:at] + escapePercent(path))
	if err != nil {
		return nil, failure.New(op, failure.NoArchive, "the archive's URL cannot be read")
	}
	if base != nil {
		plain := *base
		plain.Opaque = ""
		u = plain.ResolveReference(u)
	}
	if path == "" && base == nil {
		path = "/"
	}
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		u.Opaque = path // sent as it is; net/url would escape it in its own way
	}
	u.RawQuery, u.ForceQuery = escape(query, "\"<>'"), hasQuery && query == ""
	return u, nil
}

// pathStart is where a reference's path begins: behind the host, if it has one.
func pathStart(front string) int {
	at := strings.Index(front, "//")
	if at < 0 || at > 0 && front[at-1] != ':' || strings.Contains(front[:at], "/") {
		return 0
	}
	if slash := strings.IndexByte(front[at+2:], '/'); slash >= 0 {
		return at + 2 + slash
	}
	return len(front)
}

// escape writes blanks, control characters, bytes beyond ASCII and those of set as %XX.
func escape(s, set string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(set, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escapePercent escapes those "%" that begin no escape, for a parser that refuses them.
func escapePercent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if _, err := url.PathUnescape(s[i:min(i+3, len(s))]); s[i] == '%' && err != nil {
			b.WriteString("25")
		}
	}
	return b.String()
}

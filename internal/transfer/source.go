package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// identity is what tells this archive from any other: it is pinned by the first answer and checked in all later ones.
type identity struct {
	Size         int64  // -1: not known
	ETag         string // strong, with its quotes; "" when there is none
	LastModified string
}

// strong tells whether two equal identities mean equal bytes.
func (i identity) strong() bool { return i.Size >= 0 && (i.ETag != "" || i.LastModified != "") }

// validator is the value for If-Range.
func (i identity) validator() string {
	if i.ETag != "" {
		return i.ETag
	}
	return i.LastModified
}

// String is a short form for metadata and labels; it does not give the ETag away to a reader who lacks it.
func (i identity) String() string {
	sum := sha256.Sum256([]byte(strconv.FormatInt(i.Size, 10) + "\n" + i.validator()))
	return hex.EncodeToString(sum[:16])
}

func newIdentity(h http.Header, size int64) identity {
	i := identity{Size: size}
	if etag := h.Get("ETag"); len(etag) > 2 && etag[0] == '"' { // W/"…" promises no equal bytes
		i.ETag = etag
	}
	if _, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		i.LastModified = h.Get("Last-Modified")
	}
	return i
}

// source is the archive at its URL.
type source struct {
	client   *http.Client
	original string
	agent    string
	limits   slowness
	ident    identity
	ranges   bool // the server serves ranges, and they can be pinned

	mu     sync.Mutex
	direct string // where redirects led; "" when not known. Saves a round trip for each range.
}

func (s *source) target() (target string, redirected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.direct != "" {
		return s.direct, true
	}
	return s.original, false
}

func (s *source) setDirect(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direct = u
	if u == s.original {
		s.direct = ""
	}
}

// get sends one request. No answer and no bytes within the stall time end it.
func (s *source) get(ctx context.Context, header http.Header) (*http.Response, *connection, error) {
	target, redirected := s.target()
	ctx, cancel := context.WithCancelCause(ctx)
	c := newConnection(ctx, cancel, s.limits)
	resp, err := s.do(ctx, target, header)
	c.timer.Stop()
	if err != nil {
		cancel(nil)
		return nil, nil, asError("read source", KindSourceUnavailable, c.cause(err))
	}
	c.body = resp.Body
	if redirected && resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		s.setDirect("") // what a redirect led to may expire before the URL itself
		c.Close()
		return nil, nil, &Error{Op: "read source", Kind: KindSourceUnavailable, Reason: resp.Status, temporary: true}
	}
	s.setDirect(resp.Request.URL.String())
	return resp, c, nil
}

func (s *source) do(ctx context.Context, target string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, invalid("the source URL cannot be parsed")
	}
	req.Header = header.Clone()
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", s.agent)
	return s.client.Do(req)
}

// open asks for the bytes from from up to to (exclusive), of the pinned archive alone. The body may end earlier.
func (s *source) open(ctx context.Context, from, to int64) (*connection, error) {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", from, to-1)}}
	if v := s.ident.validator(); v != "" {
		header.Set("If-Range", v)
	}
	resp, conn, err := s.get(ctx, header)
	if err != nil {
		return nil, err
	}
	if err := s.checkRange(resp, from, to); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// openWhole asks for everything, for a source without ranges.
func (s *source) openWhole(ctx context.Context) (*connection, error) {
	resp, conn, err := s.get(ctx, http.Header{})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		err = statusError(resp)
	} else {
		err = s.checkIdentity(resp.Header, resp.ContentLength)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (s *source) checkRange(resp *http.Response, from, to int64) error {
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK: // If-Range did not match, or the server forgot about ranges
		if err := s.checkIdentity(resp.Header, resp.ContentLength); err != nil {
			return err
		}
		return wrongAnswer("the range was ignored")
	case http.StatusRequestedRangeNotSatisfiable:
		return changed("a range that was inside is now outside")
	default:
		return statusError(resp)
	}
	got, err := parseContentRange(resp.Header.Get("Content-Range"))
	if err != nil {
		return wrongAnswer(err.Error())
	}
	if err := s.checkIdentity(resp.Header, got.size); err != nil {
		return err
	}
	if got.from != from || got.to >= to {
		return wrongAnswer(fmt.Sprintf("bytes %d-%d instead of %d-%d", got.from, got.to, from, to-1))
	}
	if length := got.to - got.from + 1; resp.ContentLength >= 0 && resp.ContentLength != length {
		return wrongAnswer(fmt.Sprintf("Content-Length %d for a range of %d bytes", resp.ContentLength, length))
	}
	return checkEncoding(resp.Header)
}

func (s *source) checkIdentity(h http.Header, size int64) error {
	now := newIdentity(h, size)
	switch {
	case size >= 0 && s.ident.Size >= 0 && size != s.ident.Size:
		return changed(fmt.Sprintf("%d bytes, was %d", size, s.ident.Size))
	case s.ident.ETag != "" && h.Get("ETag") != "" && now.ETag != s.ident.ETag:
		return changed("another ETag")
	case s.ident.ETag == "" && s.ident.LastModified != "" && now.LastModified != "" && now.LastModified != s.ident.LastModified:
		return changed("another Last-Modified")
	}
	return checkEncoding(h)
}

func checkEncoding(h http.Header) error {
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return wrongAnswer("the body is encoded (" + firstWords(e) + ") though identity was asked for")
	}
	return nil
}

func changed(reason string) *Error {
	return &Error{Op: "read source", Kind: KindChanged, Reason: reason}
}

// wrongAnswer is an answer that contradicts the request: one node of a CDN may, so another try helps.
func wrongAnswer(reason string) *Error {
	return &Error{Op: "read source", Kind: KindSourceUnavailable, Reason: "wrong answer: " + reason, temporary: true}
}

func statusError(resp *http.Response) *Error {
	e := &Error{Op: "read source", Kind: KindSourceUnavailable, Reason: "HTTP " + strconv.Itoa(resp.StatusCode)}
	switch code := resp.StatusCode; {
	case code == 400, code == 401, code == 403, code == 410: // S3 answers 400 when a signature's session has ended
		e.Kind = KindURLExpired
	case code == 429, code == 503:
		e.temporary, e.pushback, e.after = true, true, retryAfter(resp.Header, time.Now())
	case code == 404, code == 408, code >= 500, code < 300: // 404: a copy that has not arrived everywhere
		e.temporary, e.after = true, retryAfter(resp.Header, time.Now())
	}
	return e
}

// retryAfter reads both forms of Retry-After (RFC 9110, section 10.2.3); 0 when there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, ok := parseDigits(v); ok && v != "" {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// firstWords cuts what a server says to what fits a message, without control characters.
func firstWords(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, s)
	return s[:min(len(s), 80)]
}

func parseSourceURL(raw string, g guard) error {
	u, err := url.Parse(raw)
	if err != nil {
		return invalid("the source URL cannot be parsed")
	}
	return g.checkURL(u)
}

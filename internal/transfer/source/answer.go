package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

func changed(format string, args ...any) *failure.Error {
	return failure.New(op, failure.Changed, format, args...)
}

// odd is an answer that contradicts the request: one node of a CDN may, so a few more tries may help.
func odd(kind failure.Kind, format string, args ...any) *failure.Error {
	e := failure.New(op, kind, format, args...)
	e.Temporary, e.Odd = true, true
	return e
}

func wrongAnswer(format string, args ...any) *failure.Error {
	return odd(failure.SourceUnavailable, "wrong answer to a range: "+format, args...)
}

// statusError says what an answer's status means that is not the one hoped for. body is the answer's.
func statusError(resp *http.Response, body io.Reader) *failure.Error {
	code := resp.StatusCode
	e := failure.New(op, failure.SourceUnavailable, "the archive's host answers HTTP %d", code)
	switch {
	case code == 401, code == 403, code == 410, code == 400 && isExpiredSession(body):
		e.Kind = failure.URLExpired
	case code == 429, code == 503:
		e.Temporary, e.Pushback, e.After = true, true, retryAfter(resp.Header, time.Now())
	case code >= 500 && code != 501 && code != 505, code == 202, code == 404, code == 408, code == 409, code == 421, code == 425:
		// 202: not yet made; 404: a copy that has not arrived everywhere
		e.Temporary, e.After = true, retryAfter(resp.Header, time.Now())
	case code == 204, code == 205:
		return odd(failure.NoArchive, "the archive's host answers HTTP %d, which holds no archive", code)
	default:
		return odd(failure.NoArchive, "the archive's host answers HTTP %d", code)
	}
	return e
}

// isExpiredSession: S3 answers 400 and one of these codes when the session that has signed a URL is over. Any other 400 says
// that the request is not understood.
func isExpiredSession(body io.Reader) bool {
	text, _ := io.ReadAll(io.LimitReader(body, 4<<10))
	for _, code := range []string{"ExpiredToken", "TokenRefreshRequired", "InvalidToken", "Request has expired"} {
		if bytes.Contains(text, []byte(code)) {
			return true
		}
	}
	return false
}

// retryAfter reads both forms of Retry-After (RFC 9110, section 10.2.3); 0 when there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 63); err == nil {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// Answer is an open answer of the source: bytes of the archive, in order. Its Read returns io.EOF only where the host has
// ended the answer in due form.
type Answer struct {
	body io.Reader
	conn *connection
	// End is the offset at which the answer says that it ends; -1 when it does not say. It may be less than was asked for.
	End int64
}

func (a *Answer) Read(p []byte) (int, error) { return a.body.Read(p) }

// Close ends the request.
func (a *Answer) Close() error { return a.conn.Close() }

// Cancel ends the request while another goroutine may be reading.
func (a *Answer) Cancel() { a.conn.cancel(http.ErrAbortHandler) }

// readStart looks at the first bytes. fewer than startBytes are all that there are.
func readStart(conn *connection, limit int64) ([]byte, error) {
	start := make([]byte, min(startBytes, limit))
	n, err := io.ReadFull(conn, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { // a clean end, see connection.Read
		return nil, failure.As(op, failure.SourceUnavailable, err)
	}
	return start[:n], nil
}

// checkStart refuses what is no archive at the first look.
func checkStart(start []byte, h http.Header) error {
	switch {
	case len(start) == 0:
		return odd(failure.Corrupt, "the archive is empty (0 bytes)")
	case looksLikePage(start):
		return odd(failure.Corrupt, "the archive's host answers with a page (%s), not with a ZIP archive",
			failure.Bounded(h.Get("Content-Type"), 80))
	}
	return nil
}

// checkRange compares a 206 answer with what was asked for.
func checkRange(resp *http.Response, from, to int64) (ContentRange, error) {
	got, err := ParseContentRange(resp.Header.Get("Content-Range"))
	if err != nil {
		return got, wrongAnswer("%v", err)
	}
	if got.From != from || got.To >= to {
		return got, wrongAnswer("bytes %d-%d instead of %d-%d", got.From, got.To, from, to-1)
	}
	if length := got.To - got.From + 1; resp.ContentLength >= 0 && resp.ContentLength != length {
		return got, wrongAnswer("Content-Length %d for %d bytes", resp.ContentLength, length)
	}
	return got, nil
}

func rangeHeader(from, to int64) http.Header {
	return http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", from, to-1)}}
}

// ContentRange is a parsed Content-Range header (RFC 9110, section 14.4): bytes from to (inclusive) of size, -1 where
// the header says "*".
type ContentRange struct{ From, To, Size int64 }

var (
	contentRange = regexp.MustCompile(`^(?i:bytes) +(\d+)-(\d+)/(\d+|\*)$`)
	errMalformed = errors.New("Content-Range is malformed")
)

// ParseContentRange reads the header; whatever is not exactly one range of bytes is an error.
func ParseContentRange(header string) (ContentRange, error) {
	fields := contentRange.FindStringSubmatch(header)
	if fields == nil {
		return ContentRange{}, errMalformed
	}
	c := ContentRange{Size: -1}
	for i, n := range []*int64{&c.From, &c.To, &c.Size} {
		var err error
		if fields[i+1] == "*" {
			break
		}
		if *n, err = strconv.ParseInt(fields[i+1], 10, 64); err != nil {
			return ContentRange{}, errMalformed
		}
	}
	if c.From > c.To || c.Size >= 0 && c.To >= c.Size {
		return ContentRange{}, errMalformed
	}
	return c, nil
}

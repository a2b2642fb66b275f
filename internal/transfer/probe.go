package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// probe is the first answer: it says what the archive is, and its body is the beginning of it.
type probe struct {
	body  io.Reader // the beginning; the bytes that were looked at included
	conn  *connection
	whole bool // the body goes on to the archive's end
}

const pageAttempts = 3 // an error page with status 200 is tried again; then it is what the source has

// openProbe asks for the first bytes and learns size, validators and range support from the answer. There is no HEAD:
// a URL signed for GET refuses it.
func (s *source) openProbe(ctx context.Context, b *budget) (*probe, error) {
	pages := 0
	for attempt := 0; ; attempt++ {
		p, err := s.tryProbe(ctx)
		if err == nil {
			return p, nil
		}
		e := asError("read source", KindSourceUnavailable, err)
		if e.Kind == KindCorrupt {
			if pages++; pages == pageAttempts {
				return nil, e
			}
		}
		if err := b.wait(ctx, e, attempt); err != nil {
			return nil, err
		}
	}
}

func (s *source) tryProbe(ctx context.Context) (*probe, error) {
	resp, conn, err := s.get(ctx, http.Header{"Range": {fmt.Sprintf("bytes=0-%d", firstRange-1)}})
	if err != nil {
		return nil, err
	}
	p := &probe{conn: conn}
	if err := s.pin(resp, p); err != nil {
		conn.Close()
		return nil, err
	}
	if !s.ranges && !p.whole {
		conn.Close()
		if p.conn, err = s.openWhole(ctx); err != nil {
			return nil, err
		}
		p.whole = true
	}
	if err := p.lookAtStart(resp.Header.Get("Content-Type")); err != nil {
		p.conn.Close()
		return nil, err
	}
	return p, nil
}

// pin takes the archive's identity from the first answer.
func (s *source) pin(resp *http.Response, p *probe) error {
	switch resp.StatusCode {
	case http.StatusPartialContent:
		got, err := parseContentRange(resp.Header.Get("Content-Range"))
		if err != nil {
			return wrongAnswer(err.Error())
		}
		if got.from != 0 || got.size < 0 || got.to >= firstRange {
			return wrongAnswer("not the range that was asked for")
		}
		s.ident = newIdentity(resp.Header, got.size)
		s.ranges = s.ident.strong() // without a validator, two ranges might be of two archives: read in order
		p.whole = got.to == got.size-1
	case http.StatusOK:
		s.ident, s.ranges, p.whole = newIdentity(resp.Header, resp.ContentLength), false, true
	case http.StatusRequestedRangeNotSatisfiable:
		return &Error{Op: "read source", Kind: KindCorrupt, Reason: "the archive is empty (0 bytes)"}
	default:
		return statusError(resp)
	}
	return checkEncoding(resp.Header)
}

// lookAtStart finds the error page that pretends to be an archive.
func (p *probe) lookAtStart(contentType string) error {
	start := make([]byte, 64)
	n, err := io.ReadFull(p.conn, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return asError("read source", KindSourceUnavailable, err)
	}
	start = start[:n]
	if looksLikePage(start) {
		return &Error{Op: "read source", Kind: KindCorrupt, temporary: true,
			Reason: fmt.Sprintf("the source answers with a page (%s), not with a ZIP archive", firstWords(contentType))}
	}
	p.body = io.MultiReader(bytes.NewReader(start), p.conn)
	return nil
}

// looksLikePage: HTML, XML and JSON begin so; a ZIP begins with PK, a self-extracting one with a program or a script.
func looksLikePage(start []byte) bool {
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	start = bytes.TrimLeft(start, " \t\r\n")
	return len(start) > 0 && (start[0] == '<' || start[0] == '{' || start[0] == '[')
}

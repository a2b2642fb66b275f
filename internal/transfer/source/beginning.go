package source

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// Beginning is the first answer: it says what the archive is, and its bytes are the beginning of it.
type Beginning struct {
	*Answer
	Whole bool // the answer goes on to the archive's end
}

// Begin asks for the first n bytes and learns size, validators and range support from the answer. There is no HEAD: a URL
// signed for GET refuses it. Where the answer to a range cannot be used, everything is asked for.
func (s *Source) Begin(ctx context.Context, n int64) (*Beginning, error) {
	for attempt := 0; ; attempt++ {
		b, err := s.beginRange(ctx, n)
		if err != nil && PlainMayHelp(failure.As(op, failure.SourceUnavailable, err), attempt+1) {
			b, err = s.pinWhole(s.openWhole(ctx))
		}
		if err == nil {
			return b, nil
		}
		if err := s.budget.Wait(ctx, failure.As(op, failure.SourceUnavailable, err), attempt); err != nil {
			return nil, err
		}
	}
}

// BeginWhole asks for everything and takes the archive's identity from the answer: to begin again.
func (s *Source) BeginWhole(ctx context.Context) (*Beginning, error) {
	for attempt := 0; ; attempt++ {
		b, err := s.pinWhole(s.openWhole(ctx))
		if err == nil {
			return b, nil
		}
		if err := s.budget.Wait(ctx, failure.As(op, failure.SourceUnavailable, err), attempt); err != nil {
			return nil, err
		}
	}
}

// pinWhole takes the archive's identity from an answer with everything.
func (s *Source) pinWhole(a *Answer, ident Identity, err error) (*Beginning, error) {
	if err != nil {
		return nil, err
	}
	s.ident, s.ranges, s.encoding = ident, false, ""
	return &Beginning{Answer: a, Whole: true}, nil
}

func (s *Source) beginRange(ctx context.Context, n int64) (*Beginning, error) {
	resp, conn, err := s.get(ctx, rangeHeader(0, n))
	if err != nil {
		return nil, err
	}
	b, err := s.pin(resp, conn, n)
	if err != nil {
		conn.Close()
	}
	return b, err
}

// pin takes the archive's identity from the answer to the first range, if ranges can be used.
func (s *Source) pin(resp *http.Response, conn *connection, n int64) (*Beginning, error) {
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return nil, wrongAnswer("HTTP 416")
	}
	if resp.StatusCode != http.StatusPartialContent {
		return s.pinWhole(readWhole(resp, conn))
	}
	got, err := checkRange(resp, 0, n)
	if err != nil {
		return nil, err
	}
	start, err := readStart(conn, got.To+1)
	if err == nil {
		err = checkStart(start, resp.Header)
	}
	if err != nil {
		return nil, err
	}
	ident, encoding, whole := newIdentity(resp.Header, got.Size), encodingOf(resp.Header), got.To == got.Size-1
	switch {
	case got.Size < 0:
		return nil, wrongAnswer("no size")
	case !plainStart(start, encoding):
		return nil, wrongAnswer("encoded (%s)", failure.Bounded(encoding, 80))
	case !ident.Strong() && !whole: // two ranges might be of two archives
		return nil, wrongAnswer("neither an ETag nor a time of the last change")
	}
	s.ident, s.ranges, s.encoding = ident, true, encoding
	a := &Answer{body: io.MultiReader(bytes.NewReader(start), conn), conn: conn, End: got.To + 1}
	return &Beginning{Answer: a, Whole: whole}, nil
}

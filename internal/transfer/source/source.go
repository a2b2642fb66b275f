package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// ErrRangesUnusable: the source's answers to ranges cannot be used, and it serves the archive whole to a plain request.
var ErrRangesUnusable = errors.New("ranges of the source cannot be used")

// Source is the archive at its URL. Begin comes first; then its methods may be called by several goroutines at once.
type Source struct {
	client   *Client
	budget   *failure.Budget
	original *url.URL
	ident    Identity
	ranges   bool
	encoding string // what answers to ranges say of their encoding, though their bytes are plain

	mu     sync.Mutex
	direct *url.URL // where redirects led; nil when not known. Saves a round trip for each range.
	whole  sync.Mutex
}

// Identity is that of the first answer.
func (s *Source) Identity() Identity { return s.ident }

// Ranges reports whether the source serves ranges that can be pinned to this archive.
func (s *Source) Ranges() bool { return s.ranges }

func (s *Source) target() (target *url.URL, redirected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.direct != nil {
		return s.direct, true
	}
	return s.original, false
}

func (s *Source) setDirect(u *url.URL) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direct = u
}

// get sends one request and follows redirects. What a redirect led to before is asked at once; it may expire before the
// URL itself, which then leads to a fresh place.
func (s *Source) get(ctx context.Context, header http.Header) (*http.Response, *connection, error) {
	target, redirected := s.target()
	resp, conn, err := s.follow(ctx, target, header)
	if redirected && err == nil && resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		conn.Close()
		s.setDirect(nil)
		return s.follow(ctx, s.original, header)
	}
	return resp, conn, err
}

func (s *Source) follow(ctx context.Context, target *url.URL, header http.Header) (*http.Response, *connection, error) {
	for hops := 0; ; hops++ {
		resp, conn, err := s.send(ctx, target, header)
		if err != nil {
			return nil, nil, err
		}
		location := resp.Header.Get("Location")
		if !isRedirect(resp.StatusCode) || location == "" {
			if hops > 0 && resp.StatusCode < 300 {
				s.setDirect(target)
			}
			return resp, conn, nil
		}
		conn.Close()
		if hops == maxRedirects {
			return nil, nil, odd(failure.NoArchive, "the archive's URL leads through more than %d redirects, or in a circle", maxRedirects)
		}
		if target, err = parseURL(target, location); err != nil {
			return nil, nil, err
		}
		if err := s.client.guard.checkURL(target); err != nil {
			return nil, nil, err
		}
	}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// send sends one request. No answer within the stall time ends it.
func (s *Source) send(ctx context.Context, target *url.URL, header http.Header) (*http.Response, *connection, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := newConnection(ctx, cancel, s.client.limits)
	req := (&http.Request{Method: http.MethodGet, URL: target, Host: target.Host, Header: header.Clone()}).WithContext(ctx)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", s.client.agent)
	resp, err := s.client.http.RoundTrip(req)
	c.timer.Stop()
	if err != nil {
		cancel(nil)
		return nil, nil, failure.As(op, failure.SourceUnavailable, c.cause(err))
	}
	c.body = resp.Body
	return resp, c, nil
}

// Range asks for the bytes from from up to to (exclusive), of the pinned archive alone. The answer may end earlier and
// then says so.
func (s *Source) Range(ctx context.Context, from, to int64) (*Answer, error) {
	header := rangeHeader(from, to)
	header.Set("If-Range", s.ident.Validator())
	resp, conn, err := s.get(ctx, header)
	if err != nil {
		return nil, err
	}
	got, err := s.acceptRange(resp, conn, from, to)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Answer{body: conn, conn: conn, End: got.To + 1}, nil
}

func (s *Source) acceptRange(resp *http.Response, conn *connection, from, to int64) (ContentRange, error) {
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK: // If-Range did not match, or the server forgot about ranges
		if err := s.ident.check(resp.Header, resp.ContentLength); err != nil {
			return ContentRange{}, err
		}
		return ContentRange{}, wrongAnswer("everything is sent")
	case http.StatusRequestedRangeNotSatisfiable:
		return ContentRange{}, changed("a range that was inside is now outside")
	default:
		return ContentRange{}, statusError(resp, conn)
	}
	got, err := checkRange(resp, from, to)
	if err == nil {
		err = s.ident.check(resp.Header, got.Size)
	}
	if err == nil && encodingOf(resp.Header) != s.encoding {
		err = wrongAnswer("another encoding (%s) than before", failure.Bounded(encodingOf(resp.Header), 80))
	}
	return got, err
}

// Whole asks for the whole archive, in order. Its size must be the one known; that its bytes are those of an earlier
// answer is for the caller to check.
func (s *Source) Whole(ctx context.Context) (*Answer, error) {
	a, ident, err := s.openWhole(ctx)
	if err != nil {
		return nil, err
	}
	if s.ident.Size >= 0 && ident.Size >= 0 && ident.Size != s.ident.Size {
		a.Close()
		return nil, changed("%d bytes, was %d", ident.Size, s.ident.Size)
	}
	return a, nil
}

func (s *Source) openWhole(ctx context.Context) (*Answer, Identity, error) {
	resp, conn, err := s.get(ctx, nil)
	if err != nil {
		return nil, Identity{}, err
	}
	a, ident, err := readWhole(resp, conn)
	if err != nil {
		conn.Close()
	}
	return a, ident, err
}

// readWhole takes an answer with everything. Its size is unknown where it is decoded.
func readWhole(resp *http.Response, conn *connection) (*Answer, Identity, error) {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNonAuthoritativeInfo {
		return nil, Identity{}, statusError(resp, conn)
	}
	start, err := readStart(conn, startBytes)
	if err == nil {
		err = checkStart(start, resp.Header)
	}
	if err != nil {
		return nil, Identity{}, err
	}
	body, plain, err := decode(conn, start, encodingOf(resp.Header))
	if err != nil {
		return nil, Identity{}, err
	}
	size := resp.ContentLength
	if !plain {
		size = -1
	}
	return &Answer{body: body, conn: conn, End: size}, newIdentity(resp.Header, size), nil
}

// PlainMayHelp reports whether a request without ranges may do better than the one with a range that has failed. attempt
// counts the failures before it. Slowness and silence are no fault of ranges.
func PlainMayHelp(e *failure.Error, attempt int) bool {
	if e.Slow || e.Kind == failure.Forbidden || e.Kind == failure.Canceled {
		return false
	}
	return !e.Temporary || e.Odd && attempt >= 1 || !e.Pushback && attempt >= 2 || attempt >= 4
}

// Unusable makes of a range's failure an ErrRangesUnusable, if the source serves the archive to a plain request; nil
// otherwise. That is tried: a host may refuse everything, and then the failure itself is the reason.
func (s *Source) Unusable(ctx context.Context, e *failure.Error) *failure.Error {
	s.whole.Lock() // one at a time: all ranges fail at once
	defer s.whole.Unlock()
	a, _, err := s.openWhole(ctx)
	if err != nil {
		return nil
	}
	a.Close()
	return &failure.Error{Op: op, Kind: failure.SourceUnavailable, Err: fmt.Errorf("%w: %w", ErrRangesUnusable, e)}
}

package scenario

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testKey    = "key-4711"
	testSecret = "s3cr/t+value=="
)

// A scripted API answers one after the other, the last one for ever, and keeps what was asked.
type scripted struct {
	t       *testing.T
	mu      sync.Mutex
	answers []scriptedAnswer
	seen    []seenRequest
	server  *httptest.Server
}

type scriptedAnswer struct {
	status int
	header map[string]string
	body   string
	do     func(http.ResponseWriter, *http.Request) // in place of the rest
}

type seenRequest struct {
	method, uri, body, authorization, contentType, accept, userAgent string
}

func script(t *testing.T, answers ...scriptedAnswer) *scripted {
	t.Helper()
	s := &scripted{t: t, answers: answers}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.seen = append(s.seen, seenRequest{r.Method, r.RequestURI, string(body), r.Header.Get("Authorization"),
		r.Header.Get("Content-Type"), r.Header.Get("Accept"), r.UserAgent()})
	answer := s.answers[min(len(s.seen), len(s.answers))-1]
	s.mu.Unlock()
	if answer.do != nil {
		answer.do(w, r)
		return
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

// uris gives "METHOD /path" of each request.
func (s *scripted) uris() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, r := range s.seen {
		list = append(list, r.method+" "+r.uri)
	}
	return strings.Join(list, ", ")
}

func (s *scripted) requests() []seenRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seenRequest(nil), s.seen...)
}

// A testClient does not sleep, but keeps how long it would have.
type testClient struct {
	*Client
	slept []time.Duration
}

func (s *scripted) client(change ...func(*Options)) *testClient {
	s.t.Helper()
	o := Options{BaseURL: s.server.URL + "/v1", Credentials: StaticCredentials(testKey, testSecret)}
	for _, f := range change {
		f(&o)
	}
	return newTestClient(s.t, o)
}

func newTestClient(t *testing.T, o Options) *testClient {
	t.Helper()
	inner, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &testClient{Client: inner}
	c.sleep = func(ctx context.Context, d time.Duration) error {
		c.slept = append(c.slept, d)
		return ctx.Err()
	}
	c.random = func(n time.Duration) time.Duration { return n - 1 } // the longest: waits are what they can be at most
	return c
}

func failureOf(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is a %T (%v), want *Error", err, err)
	}
	return e
}

var oneAsset = ArchiveRequest{Query: Query{AssetIDs: []string{"asset_1"}}}

// noRoute is API Gateway's answer for a route that does not exist.
var noRoute = scriptedAnswer{status: 403, header: map[string]string{"x-amzn-ErrorType": "MissingAuthenticationTokenException"},
	body: `{"message":"Missing Authentication Token"}`}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

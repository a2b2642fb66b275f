package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// says is a function that always answers the same.
func says(result string) Invoke {
	return func(context.Context, []byte) ([]byte, string, error) { return []byte(result), "", nil }
}

func serve(t *testing.T, h http.Handler, r *http.Request) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEvent(t *testing.T) {
	t.Parallel()
	var got []byte
	g := New(Options{Invoke: func(_ context.Context, event []byte) ([]byte, string, error) {
		got = event
		return []byte(`{"statusCode":204}`), "", nil
	}})
	r := httptest.NewRequest("POST", "http://127.0.0.1:3000/archives/a%2Fb%20c?x=1&x=2&y=%26", strings.NewReader(`{"é":1}`))
	r.Header = http.Header{"Content-Type": {"application/json"}, "X-Many": {"1", "2"}, "Cookie": {"a=b; c=d", "e=f"}, "User-Agent": {"test"}}
	serve(t, g, r)
	var e map[string]any
	if err := json.Unmarshal(got, &e); err != nil {
		t.Fatal(err)
	}
	c := e["requestContext"].(map[string]any)
	if id := c["requestId"].(string); len(id) != 16 {
		t.Errorf("request ID %q", id)
	}
	for _, name := range []string{"requestId", "time", "timeEpoch", "authentication"} { // the last is empty without TLS of the client's
		delete(c, name)
	}
	shown, _ := json.Marshal(e)
	const want = `{"body":"{\"é\":1}","cookies":["a=b","c=d","e=f"],"headers":{"content-type":"application/json","host":"127.0.0.1:3000",` +
		`"user-agent":"test","x-many":"1,2"},"isBase64Encoded":false,"queryStringParameters":{"x":"1,2","y":"\u0026"},"rawPath":"/archives/a/b c",` +
		`"rawQueryString":"x=1\u0026x=2\u0026y=%26","requestContext":{"accountId":"000000000000","apiId":"local","domainName":"127.0.0.1:3000",` +
		`"domainPrefix":"127","http":{"method":"POST","path":"/archives/a/b c","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"test"},` +
		`"routeKey":"$default","stage":"$default"},"routeKey":"$default","version":"2.0"}`
	if string(shown) != want {
		t.Errorf("got  %s\nwant %s", shown, want)
	}
}

func TestBodyIsTextOrBase64(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, contentType, body, want string
		base64                        bool
	}{
		{"none", "", "", "", false},
		{"JSON", "application/json; charset=utf-8", "{}", "{}", false},
		{"a problem", "application/problem+json", "{}", "{}", false},
		{"no type", "", "hi", "aGk=", true},
		{"a form", "application/x-www-form-urlencoded", "a=b", "YT1i", true},
		{"JSON that is no text", "application/json", "\xff\x00", "/wA=", true},
	} {
		if got, isBase64 := encode(c.contentType, []byte(c.body)); got != c.want || isBase64 != c.base64 {
			t.Errorf("%s: got %q %t", c.name, got, isBase64)
		}
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	resp := serve(t, New(Options{Invoke: says(`{"statusCode":201,"headers":{"x-a":"1","content-length":"99","connection":"close"},
		"multiValueHeaders":{"x-b":["1","2"]},"cookies":["a=b","c=d"],"body":"AP8=","isBase64Encoded":true}`)}), httptest.NewRequest("GET", "/", nil))
	if resp.StatusCode != 201 || text(t, resp) != "\x00\xff" {
		t.Errorf("got %d", resp.StatusCode)
	}
	h := resp.Header
	if h.Get("X-A") != "1" || len(h.Values("X-B")) != 2 || len(h.Values("Set-Cookie")) != 2 || h.Get("Connection") != "" || h.Get("Content-Length") == "99" {
		t.Errorf("got %v", h)
	}
}

func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	failing := func(functionError string, err error) Invoke {
		return func(context.Context, []byte) ([]byte, string, error) {
			return []byte(`{"errorMessage":"inner"}`), functionError, err
		}
	}
	large := strings.Repeat("x", MaxBody+1)
	for _, c := range []struct {
		name   string
		invoke Invoke
		body   io.Reader
		status int
		says   string
		logged string
	}{
		{"the function fails", failing("Unhandled", nil), nil, 500, "Internal Server Error", "inner"},
		{"the function is not run", failing("", errors.New("throttled")), nil, 503, "Service Unavailable", "throttled"},
		{"no JSON", says("hello"), nil, 500, "Internal Server Error", "no object"},
		{"no status", says(`{"body":"x"}`), nil, 500, "Internal Server Error", "no object"},
		{"a status that is none", says(`{"statusCode":99}`), nil, 500, "Internal Server Error", "no object"},
		{"no base64", says(`{"statusCode":200,"body":"%","isBase64Encoded":true}`), nil, 500, "Internal Server Error", "base64"},
		{"a body over 10 MiB", says(`{"statusCode":200}`), strings.NewReader(large), 413, "Request Entity Too Large", ""},
		{"a body that Lambda does not take", says(`{"statusCode":200}`), strings.NewReader(large[:5<<20]), 413, "Request Entity Too Large", ""},
		{"a body that breaks off", says(`{"statusCode":200}`), io.MultiReader(strings.NewReader("x"), broken{}), 400, "Bad Request", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			r := httptest.NewRequest("POST", "/", c.body)
			resp := serve(t, New(Options{Invoke: c.invoke, Logger: slog.New(slog.NewTextHandler(&log, nil))}), r)
			if got := text(t, resp); resp.StatusCode != c.status || got != `{"message":"`+c.says+"\"}\n" {
				t.Errorf("got %d %s", resp.StatusCode, got)
			}
			if !strings.Contains(log.String(), c.logged) {
				t.Errorf("the log lacks %q: %s", c.logged, &log)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut off") }

func TestFunctionGetsSoManyAtOnceAndNobodyIsLost(t *testing.T) {
	t.Parallel()
	var now, most, all atomic.Int64
	server := httptest.NewServer(New(Options{Concurrency: 3, Invoke: func(context.Context, []byte) ([]byte, string, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		all.Add(1)
		return []byte(`{"statusCode":200,"body":"ok"}`), "", nil
	}}))
	defer server.Close()
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			resp, err := http.Get(server.URL)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
	group.Wait()
	if all.Load() != 200 || most.Load() > 3 {
		t.Errorf("%d requests, %d at once", all.Load(), most.Load())
	}
}

// A caller who leaves while waiting gives up the place; one who leaves later does not stop what was started.
func TestCallerWhoLeaves(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	var started int
	g := New(Options{Concurrency: 1, Invoke: func(ctx context.Context, _ []byte) ([]byte, string, error) {
		started++
		leave()
		return []byte(`{"statusCode":200}`), "", ctx.Err()
	}})
	r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
	if resp := serve(t, g, r); resp.StatusCode != 200 {
		t.Errorf("what was started ended with %d", resp.StatusCode)
	}
	g.slots <- struct{}{}
	serve(t, g, r)
	if started != 1 {
		t.Errorf("started %d times", started)
	}
}

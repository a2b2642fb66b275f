package rest

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/archive", 404, ""},
		{"POST", "/archives/", 404, ""},
		{"GET", "/archives/" + id + "/", 404, ""},
		{"GET", "/archives/unknown", 404, ""},
		{"GET", "/archives/a%2Fb", 404, ""},
		{"GET", "/archives/a%00", 404, ""},
		{"GET", "/archives/" + strings.Repeat("x", 81), 404, ""},
		{"DELETE", "/archives/unknown", 404, ""},
		{"PUT", "/archives", 405, "GET, HEAD, OPTIONS, POST"},
		{"DELETE", "/archives", 405, "GET, HEAD, OPTIONS, POST"},
		{"TRACE", "/archives", 405, "GET, HEAD, OPTIONS, POST"},
		{"POST", "/archives/" + id, 405, "DELETE, GET, HEAD, OPTIONS"},
		{"PATCH", "/archives/unknown", 405, "DELETE, GET, HEAD, OPTIONS"},
	} {
		a := f.do(t, c.method, c.path, "")
		name := map[int]kind{404: errNotFound, 405: errMethodNotAllowed}[c.status]
		a.problem(t, c.status, name, "")
		if a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, a.header.Get("Allow"))
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	s := newServer(t, f)
	for path, status := range map[string]int{"/archives": 200, "/archives/" + id: 200, "/archives/unknown": 404, "/x": 404} {
		resp, err := s.Client().Head(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != status || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/") {
			t.Errorf("%s: got %d %v", path, resp.StatusCode, resp.Header)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, a := range []answer{f.do(t, "POST", "/archives", good), f.do(t, "GET", "/archives", ""), f.do(t, "GET", "/x", ""),
		f.do(t, "OPTIONS", "/archives", ""), f.do(t, "PUT", "/archives", "")} {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
			"Strict-Transport-Security": "max-age=31536000", "Access-Control-Allow-Origin": "",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%d: %s is %q", a.status, name, got)
			}
		}
		if len(a.header.Get("X-Request-Id")) < 16 {
			t.Errorf("%d: request ID %q", a.status, a.header.Get("X-Request-Id"))
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.do(t, "OPTIONS", "/archives/x", "")
	if a.status != 204 || a.header.Get("Allow") != "DELETE, GET, HEAD, OPTIONS" {
		t.Errorf("got %d %v", a.status, a.header)
	}
}

func TestAcceptsJSON(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": true, "*/*": true, "application/*": true, "application/json": true, "APPLICATION/JSON": true,
		"application/json; charset=utf-8":            true,
		"text/html, application/json;q=0.1":          true,
		"text/html":                                  false,
		"text/html, */*;q=0":                         false,
		"application/json;q=0, */*":                  false,
		"application/json;q=0.5, application/*; q=0": true,
		"*/*;q=0, application/json":                  true,
		"application/problem+json":                   false,
		"not a media range at all":                   true,
		"application/json;q=high":                    true,
		"application/jsonp":                          false,
	} {
		if got := acceptsJSON([]string{accept}); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
	if !acceptsJSON(nil) || !acceptsJSON([]string{"text/html", "*/*;q=0.1"}) {
		t.Error("several headers")
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Archives = nil })
	f.do(t, "GET", "/archives", "").problem(t, 500, errInternal, "log")
	if logs := f.logs.String(); !strings.Contains(logs, `"msg":"panic"`) || !strings.Contains(logs, "list.go") {
		t.Errorf("not logged: %s", logs)
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.do(t, "GET", "/archives/unknown?X-Amz-Signature=s3cret", "", "Authorization", "Bearer s3cret")
	var line map[string]any
	if err := json.Unmarshal(f.logs.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, f.logs)
	}
	for field, want := range map[string]any{"msg": "request served", "level": "INFO", "method": "GET", "path": "/archives/unknown",
		"status": 404.0, "error": errNotFound.name, "requestId": a.header.Get("X-Request-Id")} {
		if line[field] != want {
			t.Errorf("%s is %v, want %v", field, line[field], want)
		}
	}
	if strings.Contains(f.logs.String(), "s3cret") {
		t.Errorf("a secret is logged: %s", f.logs)
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	h := Broken(slog.New(slog.DiscardHandler), errors.New("BUCKET is not set"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/archives", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "BUCKET is not set") ||
		!strings.Contains(w.Body.String(), `"error":"Misconfigured"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	a := New(Options{}).(*api)
	if a.Logger == nil || a.Now == nil {
		t.Errorf("got %+v", a)
	}
}

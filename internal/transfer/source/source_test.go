package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// open is a source on this machine, whose limits a test may change.
func open(t *testing.T, url string, change func(*Client)) *Source {
	t.Helper()
	c := NewClient(Options{AllowLoopback: true, UserAgent: "test", MaxConnections: 4, StallTimeout: time.Minute, MinRate: 1})
	t.Cleanup(c.Close)
	if change != nil {
		change(c)
	}
	s, err := c.Open(url, failure.NewBudget(time.Millisecond, nil))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A drip is no slow line: bytes come, but too few over the window.
func TestDripIsBrokenOff(t *testing.T) {
	t.Parallel()
	src := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(bytes.Repeat([]byte("P"), 64))
			w.(http.Flusher).Flush()
		}
	}))
	defer src.Close()
	s := open(t, src.URL, func(c *Client) {
		c.limits = slowness{stall: time.Minute, window: 20 * time.Millisecond, minRate: 1 << 50}
	})
	a, err := s.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	_, err = io.Copy(io.Discard, a)
	var e *failure.Error
	if !errors.As(err, &e) || !e.Slow || !strings.Contains(e.Reason, "bytes a second") {
		t.Errorf("error %v; want one that says how slow it is", err)
	}
}

// What a redirect led to is asked directly, until it is refused: then the URL itself leads to a fresh place.
func TestRedirectIsRememberedUntilRefused(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("x", 100)
	asked := map[string]int{}
	place := 0
	var mu sync.Mutex
	src := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/archive":
			place++
			http.Redirect(w, r, fmt.Sprint("/place/", place), http.StatusFound)
		case fmt.Sprint("/place/", place):
			if place == 1 && asked["/place/1"] > 2 {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Header().Set("ETag", `"e"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		}
	}))
	defer src.Close()
	s := open(t, src.URL+"/archive", nil)
	s.ident = Identity{Size: 100, ETag: `"e"`}
	for range 4 {
		a, err := s.Range(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(a); err != nil || len(b) != 10 {
			t.Fatalf("%q, %v", b, err)
		}
		a.Close()
	}
	if asked["/archive"] != 2 || asked["/place/1"] != 3 || asked["/place/2"] != 2 {
		t.Errorf("asked: %v", asked)
	}
}

// A name on the list that leads inwards is stopped at the dialer, whatever DNS says.
func TestGuardStopsAtTheDialer(t *testing.T) {
	t.Parallel()
	c := NewClient(Options{AllowedHosts: []string{"localhost"}, MaxConnections: 1, StallTimeout: time.Minute, MinRate: 1})
	s, err := c.Open("https://localhost/a?Signature=SECRET", failure.NewBudget(time.Millisecond, nil))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Whole(t.Context())
	var e *failure.Error
	if !errors.As(err, &e) || e.Kind != failure.Forbidden || strings.Contains(e.Error(), "SECRET") || e.Temporary {
		t.Errorf("error %v", err)
	}
}

func TestURLsAreEscapedAsFetchDoes(t *testing.T) {
	t.Parallel()
	const host = "https://cdn.scenario.com"
	for in, want := range map[string]string{
		host + "/a.zip?Policy=x+y&Signature=a%2Bb~-_": "/a.zip?Policy=x+y&Signature=a%2Bb~-_", // untouched
		host + "/a b.zip?name=a b&s=%20\"<>'":         "/a%20b.zip?name=a%20b&s=%20%22%3C%3E%27",
		host + "/100%.zip?p=100%":                     "/100%.zip?p=100%",
		host + "/%zz/%41?%zz":                         "/%zz/%41?%zz",
		host + "/h\u00e9ros.zip?q=\u00e9":             "/h%C3%A9ros.zip?q=%C3%A9",
		" \t" + host + "/a\n.zip?b\r=c#fragment ":     "/a.zip?b=c",
		host:                   "/",
		host + "?a b":          "/?a%20b",
		host + "/a|b[c]{d}^?|": "/a|b[c]%7Bd%7D%5E?|",
		host + "/a?b?c//d":     "/a?b?c//d",
		host + "/a?":           "/a?",
		host + "//a/b":         "//a/b",
	} {
		u, err := parseURL(nil, in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := u.RequestURI(); got != want && got != "https:"+want || u.Host != "cdn.scenario.com" {
			t.Errorf("%q asks %s for %q; want %q", in, u.Host, got, want)
		}
	}
	base, err := parseURL(nil, host+"/x/y?sig=1")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"/a b?c d": "cdn.scenario.com /a%20b?c%20d", "z?q=1 2": "cdn.scenario.com /x/z?q=1%202", "?only": "cdn.scenario.com /x/y?only",
		"https://other.scenario.com/50% off?x": "other.scenario.com /50%%20off?x", "//b.scenario.com/c": "b.scenario.com /c",
	} {
		if u, err := parseURL(base, in); err != nil || u.Host+" "+u.RequestURI() != want {
			t.Errorf("%q leads to %v, %v; want %q", in, u, err, want)
		}
	}
	for _, in := range []string{host + "/" + strings.Repeat("x", 300_000), "https://[::1/", "https://a b/"} {
		if u, err := parseURL(nil, in); err == nil {
			t.Errorf("%.40q is taken for %.80v", in, u)
		} else if len(err.Error()) > 500 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

// Whatever a host writes where a status or a header should be, the error is short.
func TestErrorsOfAHostAreBounded(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"status line": "HTTP/1.1 200 " + strings.Repeat("x", 42<<10) + "\r\nContent-Length: 0\r\n\r\n",
		"not HTTP":    strings.Repeat("y", 42<<10) + "\r\n\r\n",
		"location":    "HTTP/1.1 302 Found\r\nLocation: https://" + strings.Repeat("z", 42<<10) + "/\r\nContent-Length: 0\r\n\r\n",
		"header":      "HTTP/1.1 500 " + strings.Repeat("x", 70<<10) + "\r\n\r\n",
	} {
		src := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, answer)
			conn.Close()
		}))
		_, err := open(t, src.URL, nil).Whole(t.Context())
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: an error of %d bytes", name, len(fmt.Sprint(err)))
		}
		src.Close()
	}
}

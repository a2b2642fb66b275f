package loopback

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	link := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	frame := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}
	for _, c := range []struct {
		name, method, host string
		header             http.Header
		want, wantSite     int
	}{
		{"a program", "POST", "127.0.0.1:3000", nil, 204, 204},
		{"by name", "GET", "LocalHost:3000", nil, 204, 204},
		{"without a port", "GET", "localhost", nil, 204, 204},
		{"IPv6", "GET", "[::1]:3000", nil, 204, 204},
		{"IPv6 without a port", "GET", "[::1]", nil, 204, 204},
		{"a name that points here", "GET", "evil.example:3000", nil, 421, 421},
		{"a name that begins well", "GET", "127.0.0.1.evil.example", nil, 421, 421},
		{"another machine", "GET", "192.0.2.1:3000", nil, 421, 421},
		{"no host", "GET", "", nil, 421, 421},
		{"a link to a name that points here", "GET", "evil.example", link, 421, 421},
		{"its own page", "POST", "localhost:3000", http.Header{"Origin": {"http://localhost:3000"}, "Sec-Fetch-Site": {"same-origin"}}, 204, 204},
		{"its own page over TLS", "POST", "localhost:3000", http.Header{"Origin": {"https://localhost:3000"}}, 204, 204},
		{"another page", "POST", "localhost:3000", http.Header{"Origin": {"https://evil.example"}}, 403, 403},
		{"a page of another port", "POST", "localhost:3000", http.Header{"Origin": {"http://localhost:8080"}}, 403, 403},
		{"a file", "POST", "localhost:3000", http.Header{"Origin": {"null"}}, 403, 403},
		{"two origins", "POST", "localhost:3000", http.Header{"Origin": {"http://localhost:3000", "https://evil.example"}}, 403, 403},
		{"an image of another page", "GET", "localhost:3000", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}}, 403, 403},
		{"a fetch without CORS from another port", "GET", "localhost:3000", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403, 403},
		{"typed by a person", "GET", "localhost:3000", http.Header{"Sec-Fetch-Site": {"none"}}, 204, 204},
		{"a link", "GET", "localhost:3000", link, 403, 204},
		{"a form", "POST", "localhost:3000", link, 403, 403},
		{"a frame", "GET", "localhost:3000", frame, 403, 403},
	} {
		for guard, want := range map[*http.Handler]int{ptr(Guard(next)): c.want, ptr(GuardSite(next)): c.wantSite} {
			r := httptest.NewRequest(c.method, "/", nil)
			r.Host = c.host
			if c.header != nil {
				r.Header = c.header
			}
			w := httptest.NewRecorder()
			(*guard).ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: got %d %s, want %d", c.name, w.Code, w.Body, want)
			}
		}
	}
}

func ptr(h http.Handler) *http.Handler { return &h }

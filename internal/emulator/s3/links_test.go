package s3

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

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

func TestSignedLinks(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	s3 := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		w.Header().Set("Content-Disposition", "attachment")
		w.Header().Set("Content-Security-Policy", "default-src *")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "zip")
	}))
	defer s3.Close()
	endpoint, _ := url.Parse(s3.URL)
	var log bytes.Buffer
	h := SignedLinks(endpoint, s3.Client().Transport, slog.New(slog.NewTextHandler(&log, nil)))
	r := httptest.NewRequest("GET", "http://127.0.0.1:3000/archive/a%2Fb%20c.zip?X-Amz-Signature=s%2F1&a=", nil)
	r.Header = http.Header{"Range": {"bytes=0-2"}, "Cookie": {"a=b"}, "Authorization": {"x"}, "Accept-Language": {"de"}}
	resp := serve(t, h, r)
	if got := text(t, resp); resp.StatusCode != 206 || got != "zip" || resp.Header.Get("Content-Disposition") != "attachment" ||
		resp.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got %d %s %v", resp.StatusCode, got, resp.Header)
	}
	if seen.Host != "127.0.0.1:3000" || seen.RequestURI != "/archive/a%2Fb%20c.zip?X-Amz-Signature=s%2F1&a=" || seen.Header.Get("Range") != "bytes=0-2" ||
		seen.Header.Get("Authorization") != "" || seen.Header.Get("Cookie") != "" {
		t.Errorf("S3 has got %s %s %v", seen.Host, seen.RequestURI, seen.Header)
	}
	for _, c := range []struct {
		method, target string
		want           int
	}{
		{"PUT", "/archive/x?X-Amz-Signature=s", 405}, {"DELETE", "/archive/x?X-Amz-Signature=s", 405}, {"GET", "/archive/x", 403}, {"GET", "/archive/", 403},
	} {
		if got := serve(t, h, httptest.NewRequest(c.method, c.target, nil)).StatusCode; got != c.want {
			t.Errorf("%s %s: got %d, want %d", c.method, c.target, got, c.want)
		}
	}
	s3.Close()
	if got := serve(t, h, httptest.NewRequest("GET", "/archive/x?X-Amz-Signature=SECRET", nil)); got.StatusCode != 502 || strings.Contains(log.String(), "SECRET") {
		t.Errorf("got %d; log: %s", got.StatusCode, &log)
	}
	if got := plain(&url.Error{Op: "Get", URL: "https://x/?X-Amz-Signature=SECRET", Err: io.EOF}); got != "EOF" {
		t.Errorf("got %s", got)
	}
}

package s3

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
)

// SignedLinks passes signed links on to an S3 server whose certificate no browser knows. The links are signed for the
// front's own host, and the front leaves host, path and query as they are, so it is S3 that checks them; without a
// signature S3 refuses them.
func SignedLinks(endpoint *url.URL, transport http.RoundTripper, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = endpoint.Scheme, endpoint.Host
			r.Out.Host = r.In.Host // it is signed
			r.Out.Header = http.Header{}
			for _, name := range []string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since"} {
				if values := r.In.Header.Values(name); len(values) > 0 {
					r.Out.Header[name] = values
				}
			}
		},
		Transport: transport,
		ModifyResponse: func(r *http.Response) error {
			// What is stored is not ours: it must never run as a page of this origin.
			r.Header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
			r.Header.Set("X-Content-Type-Options", "nosniff")
			r.Header.Set("Referrer-Policy", "no-referrer")
			r.Header.Set("Cache-Control", "no-store")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Error("S3 did not answer", "cause", plain(err))
			loopback.Refuse(w, http.StatusBadGateway, "S3 did not answer")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			loopback.Refuse(w, http.StatusMethodNotAllowed, "only signed links are passed on to S3")
			return
		}
		if !r.URL.Query().Has("X-Amz-Signature") {
			loopback.Refuse(w, http.StatusForbidden, "only signed links are passed on to S3")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// plain is the error without the URL, which holds a signature.
func plain(err error) string {
	if e, ok := err.(*url.Error); ok {
		return e.Err.Error()
	}
	return err.Error()
}

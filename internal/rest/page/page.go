// Package page is the one page for a browser: archives are started, watched and downloaded by the API that it comes
// from. It is a single document without any other resource.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
)

//go:embed page.html
var document []byte

// policy lets the document's own script and style run, and nothing else: no inline handler, no other source. Pictures and
// videos come from the API's own origin, where the local system serves the bucket.
var policy = "default-src 'none'; script-src " + hash("script") + "; style-src " + hash("style") +
	"; connect-src 'self'; img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hash names the text of the document's one element of that name, as a Content-Security-Policy does.
func hash(element string) string {
	_, rest, _ := bytes.Cut(document, []byte("<"+element+">"))
	text, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Handler serves the page at / and leaves everything else to next.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		_, _ = w.Write(document) // the caller has gone; or it must not have it (HEAD)
	})
}

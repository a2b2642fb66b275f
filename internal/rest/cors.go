package rest

import (
	"net/http"
	"slices"
)

const (
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, X-Amz-Content-Sha256, X-Amz-Date, X-Amz-Security-Token"
	corsExposed = "Link, Location, Retry-After, X-Request-Id"
	corsMaxAge  = "600" // seconds; browsers cap it at 600 to 86400
)

// cors lets the pages of the allowed origins read the answer. Cookies are never meant: the API has none.
func (a *api) cors(h http.Header, r *http.Request) {
	if len(a.AllowOrigins) == 0 {
		return
	}
	if slices.Contains(a.AllowOrigins, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if !slices.Contains(a.AllowOrigins, origin) {
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
	}
	h.Set("Access-Control-Expose-Headers", corsExposed)
}

// preflight answers a browser's question whether a page may send a request.
func (a *api) preflight(w http.ResponseWriter, r *http.Request, allow string) {
	if w.Header().Get("Access-Control-Allow-Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return
	}
	w.Header().Set("Access-Control-Allow-Methods", allow)
	w.Header().Set("Access-Control-Allow-Headers", corsHeaders)
	w.Header().Set("Access-Control-Max-Age", corsMaxAge)
}

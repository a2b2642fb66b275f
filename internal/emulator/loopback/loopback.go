// Package loopback keeps servers of this machine to this machine: other machines cannot reach a loopback address, but
// any page in a browser here can send requests to it. Each server of the emulator is behind Guard.
package loopback

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Guard lets requests of programs on this machine pass, and those of pages that the server itself has served.
// A foreign host name is refused with 421: it was made to point here (DNS rebinding). A request that another page
// causes is refused with 403, whether the browser says so by Origin or by Sec-Fetch-Site, which it sends with every
// request to a loopback address.
func Guard(next http.Handler) http.Handler {
	return guard(next, func(*http.Request) bool { return false })
}

// GuardSite is Guard for what people open in a browser: a link on another page may lead to it (a GET that navigates).
func GuardSite(next http.Handler) http.Handler {
	return guard(next, func(r *http.Request) bool {
		return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
			r.Header.Get("Sec-Fetch-Dest") == "document"
	})
}

func guard(next http.Handler, excepted func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, why := Check(r.Host, r.Header); status == http.StatusMisdirectedRequest || status != 0 && !excepted(r) {
			Refuse(w, status, why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Refuse answers with a message, as API Gateway does.
func Refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // the caller may have gone
}

// Check is Guard's judgement of a request by its Host and its header: status is 0 when it may pass, and else the one to
// answer, with the reason.
func Check(host string, header http.Header) (status int, why string) {
	if !isLoopback(host) {
		return http.StatusMisdirectedRequest, "this server is for this machine alone; ask for it as localhost or 127.0.0.1"
	}
	if !ownOrigin(host, header.Values("Origin")) || !ownSite(header.Values("Sec-Fetch-Site")) {
		return http.StatusForbidden, "other pages may not call this server"
	}
	return 0, ""
}

func isLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return ip != nil && ip.IsLoopback()
}

// ownOrigin: no Origin is a program, or a request that Sec-Fetch-Site judges.
func ownOrigin(host string, origins []string) bool {
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// ownSite: "none" is what a person has typed. "same-site" would be another port of this machine.
func ownSite(sites []string) bool {
	return len(sites) == 0 || len(sites) == 1 && (sites[0] == "same-origin" || sites[0] == "none")
}

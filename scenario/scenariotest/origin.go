package scenariotest

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// allowed refuses what a web page may have sent: a page of another origin says so in Origin, and one whose name was made
// to lead here (DNS rebinding) has that name in Host. Without this, any page that somebody opens could set faults, and so
// choose what the next archive holds.
func allowed(r *http.Request) bool {
	if !ownHost(r.Host) {
		return false
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

// ownHost accepts names of this machine's loopback.
func ownHost(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

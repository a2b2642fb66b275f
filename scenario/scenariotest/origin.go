package scenariotest

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// allowed refuses what a web page may have sent: a page of another origin says so in Origin, and one whose name was made
// to lead here (DNS rebinding) has that name in Host. Without this, any page that somebody opens could set faults, and so
// choose what the next archive holds.
func (h *Handler) allowed(r *http.Request) bool {
	if !h.ownHost(r.Host) {
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

// ownHost accepts names of this machine's loopback, and those of Options.Hosts.
func (h *Handler) ownHost(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if address, err := netip.ParseAddr(host); err == nil && address.Unmap().IsLoopback() {
		return true
	}
	return host == "localhost" || slices.Contains(h.options.Hosts, host)
}

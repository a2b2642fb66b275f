package transfer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// DefaultHosts are where Scenario serves archives from: its own domains, and the CDN and the object store behind them.
// The last two hold other people's content as well; the URL itself comes from Scenario's authenticated API alone.
var DefaultHosts = []string{"scenario.com", "*.scenario.com", "*.cloudfront.net", "*.amazonaws.com"}

const maxRedirects = 5

// guard decides where requests for the archive may go. It is asked for the URL, for every redirect, and, after DNS has
// answered, for every address that is about to be connected to: a name that passed may still point inwards.
type guard struct {
	hosts    []string
	loopback bool // this machine may be the source, by http too: local runs
}

func forbidden(format string, args ...any) *Error {
	return &Error{Op: "check source", Kind: KindForbidden, Reason: fmt.Sprintf(format, args...)}
}

func (g guard) checkURL(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	local := g.loopback && isLoopbackHost(host)
	switch {
	case u.Scheme != "https" && !(u.Scheme == "http" && local):
		return forbidden("scheme %q: only https is allowed", u.Scheme)
	case u.User != nil:
		return forbidden("the URL holds a user name or a password")
	case host == "":
		return forbidden("the URL names no host")
	case local:
		return nil
	case u.Port() != "" && u.Port() != "443":
		return forbidden("port %s: only 443 is allowed", u.Port())
	case !matchHost(g.hosts, host):
		return forbidden("host %s is not among the allowed ones", host)
	}
	return nil
}

func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// matchHost compares with exact names and with "*.domain", which stands for every name below domain but not for itself.
func matchHost(patterns []string, host string) bool {
	for _, pattern := range patterns {
		pattern = strings.ToLower(pattern)
		if below, wild := strings.CutPrefix(pattern, "*."); wild {
			if name, ok := strings.CutSuffix(host, "."+below); ok && name != "" {
				return true
			}
		} else if pattern == host {
			return true
		}
	}
	return false
}

// checkRedirect is http.Client's hook. Go would send the whole URL before, its signature included, as Referer.
func (g guard) checkRedirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer")
	if len(via) > maxRedirects {
		return forbidden("more than %d redirects", maxRedirects)
	}
	return g.checkURL(req.URL)
}

// control is net.Dialer's hook: address is what the name resolved to.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return forbidden("address %s", address)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return forbidden("address %s", address)
	}
	ip = ip.WithZone("").Unmap()
	if g.loopback && ip.IsLoopback() {
		return nil
	}
	if !isPublic(ip) {
		return forbidden("the host's address %s is not a public one", ip)
	}
	return nil
}

// inward are networks that a public archive is never served from, beyond those that netip knows by name
// (IANA IPv4 and IPv6 Special-Purpose Address Registries).
var inward = prefixes(
	"0.0.0.0/8", "100.64.0.0/10" /* carrier-grade NAT */, "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b::/96" /* NAT64: any IPv4 address inside */, "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
	"2002::/16" /* 6to4: any IPv4 address inside */, "3fff::/20", "5f00::/16", "fec0::/10", "::/96", /* IPv4-compatible */
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() { // not: unspecified, loopback, multicast, link-local (metadata), fc00::/7
		return false
	}
	for _, p := range inward {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

package source

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// DefaultHosts are Scenario's own names: where it is known to serve files from, and whatever else is below its domain.
// Names that anybody can have, as below amazonaws.com and cloudfront.net, are not among them.
var DefaultHosts = []string{"cdn.cloud.scenario.com", "cdn.scenario.com", "*.scenario.com"}

// maxRedirects is half of what fetch follows.
const maxRedirects = 10

const maxHost = 253 // bytes of a name in DNS (RFC 1035, section 2.3.4)

// guard decides where requests for the archive may go. It is asked for the URL, for every redirect, and, after DNS has
// answered, for every address that is about to be connected to: a name that passed may still point inwards.
type guard struct {
	hosts    []string
	loopback bool // this machine may be the source, by http too: local runs
}

func forbidden(format string, args ...any) *failure.Error {
	e := failure.New("check source", failure.Forbidden, format, args...)
	e.Advice = "Ask Scenario about the job: an archive is not fetched from such a URL"
	return e
}

func (g guard) checkURL(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	local := g.loopback && isLoopbackHost(host)
	switch {
	case u.Scheme != "https" && !(u.Scheme == "http" && local):
		return forbidden("the archive's URL begins with %q: only https is allowed", failure.Bounded(u.Scheme, 20)+":")
	case u.User != nil:
		return forbidden("the archive's URL holds a user name or a password")
	case host == "":
		return forbidden("the archive's URL names no host")
	case local:
		return nil
	case u.Port() != "" && u.Port() != "443":
		return forbidden("the archive's URL names port %s: only 443 is allowed", failure.Bounded(u.Port(), 20))
	case strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }):
		return forbidden("the archive's URL names a host in letters that are not ASCII: %s", failure.Bounded(url.QueryEscape(host), maxHost))
	case !matchHost(g.hosts, host):
		host = failure.Bounded(host, maxHost)
		e := forbidden("the host %s is not among those that archives may come from (%s)", host, strings.Join(g.hosts, ", "))
		e.Advice = "If Scenario serves archives there, allow it: deploy again with the parameter AllowedArchiveHosts=" +
			strings.Join(append(slices.Clone(g.hosts), host), ",") + " (on one machine: the variable ALLOWED_ARCHIVE_HOSTS)"
		return e
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

// control is net.Dialer's hook: address is what the name resolved to.
func (g guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return forbidden("address %s", address)
	}
	ip := parsed.Addr().WithZone("").Unmap()
	if g.loopback && ip.IsLoopback() {
		return nil
	}
	if !isPublic(ip) {
		e := forbidden("the address %s of the archive's host is not a public one", ip)
		e.Advice = "Archives are fetched from public addresses alone. If the functions are in a VPC where an interface endpoint " +
			"gives S3 a private name, use a gateway endpoint; otherwise ask Scenario about the job"
		return e
	}
	return nil
}

// inward are networks that a public archive is never served from, beyond those that netip knows by name
// (IANA IPv4 and IPv6 Special-Purpose Address Registries).
var inward = prefixes(
	"0.0.0.0/8", "100.64.0.0/10" /* carrier-grade NAT */, "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b::/96" /* NAT64: any IPv4 address inside */, "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32",
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

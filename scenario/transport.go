package scenario

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// parseBaseURL accepts what credentials may be sent to: https, or http to this machine itself. The errors do not repeat
// the URL: it may hold a password.
func parseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("scenario: the base URL is not an absolute URL such as " + DefaultBaseURL)
	case u.User != nil:
		return nil, errors.New("scenario: the base URL has a user or password: give credentials separately")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("scenario: the base URL has a query or fragment: remove it")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		u.Path = strings.TrimRight(u.Path, "/")
		u.RawPath = strings.TrimRight(u.RawPath, "/")
		return u, nil
	}
	return nil, errors.New("scenario: the base URL is not https (http is for a loopback host only)")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// newHTTPClients gives the client for calls that may be repeated and the one for launches.
//
// With the default transport a launch has a connection of its own. On a kept connection that the server has closed
// meanwhile (a Lambda that slept between two calls meets many) a POST fails in a way that does not show whether it was
// read: each such launch would be a KindUncertain for nothing. A handshake is cheap beside a job.
func newHTTPClients(given *http.Client) (repeatable, launches *http.Client) {
	if given != nil {
		own := *given // the caller's client is not changed
		own.CheckRedirect = refuseRedirects
		return &own, &own
	}
	single := newTransport()
	single.DisableKeepAlives = true
	return &http.Client{Transport: newTransport(), CheckRedirect: refuseRedirects},
		&http.Client{Transport: single, CheckRedirect: refuseRedirects}
}

// refuseRedirects hands the redirect itself to the caller: the API makes none, and credentials and launches must not
// follow one to another place.
func refuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newTransport has a timeout on every phase; the whole attempt, its body included, is bounded by RequestTimeout.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  20 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Package source reads an archive at its URL: whole or in ranges that are pinned to one archive, from hosts that the guard
// allows, whatever odd answers they give. Requests are anonymous, and no error holds a URL's path or query.
package source

import (
	"net"
	"net/http"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 60 * time.Second
	maxHeaderBytes   = 64 << 10
	rateWindow       = 30 * time.Second

	op = "read source"
)

// Options say how archives' hosts are spoken to. All fields but AllowLoopback are needed.
type Options struct {
	AllowedHosts   []string // exact names or *.domain
	AllowLoopback  bool     // this machine may be the source, by http too: for local runs only
	UserAgent      string
	MaxConnections int           // kept for later requests
	StallTimeout   time.Duration // without a byte breaks a connection
	MinRate        int64         // bytes per second over 30 s that a connection must bring
}

// Client speaks to archives' hosts. It may be used by several goroutines at once.
type Client struct {
	http   *http.Transport
	guard  guard
	agent  string
	limits slowness
}

// NewClient makes a Client. HTTP/1.1 alone: HTTP/2 would put all ranges on one connection, and the limit that CDNs and S3
// set for each connection would hold for all of them together. No proxy from the environment: it would resolve the name
// itself, and the guard would see the proxy's address only. Nothing is decompressed by itself: the bytes are the archive.
// Redirects are followed by Source.
func NewClient(o Options) *Client {
	g := guard{hosts: o.AllowedHosts, loopback: o.AllowLoopback}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, ControlContext: g.control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &Client{
		guard: g, agent: o.UserAgent, limits: slowness{stall: o.StallTimeout, window: rateWindow, minRate: o.MinRate},
		http: &http.Transport{ // alone: http.Client would read redirects in its own way
			Proxy: nil, DialContext: dialer.DialContext, Protocols: protocols,
			DisableCompression: true, TLSHandshakeTimeout: handshakeTimeout, IdleConnTimeout: idleTimeout,
			MaxIdleConns: o.MaxConnections, MaxIdleConnsPerHost: o.MaxConnections, MaxResponseHeaderBytes: maxHeaderBytes,
		},
	}
}

// Open makes a Source of a URL, without asking its host for anything. The budget bounds all its retries.
func (c *Client) Open(rawURL string, b *failure.Budget) (*Source, error) {
	u, err := parseURL(nil, rawURL)
	if err != nil {
		return nil, err
	}
	if err := c.guard.checkURL(u); err != nil {
		return nil, err
	}
	return &Source{client: c, budget: b, original: u, ident: Identity{Size: -1}}, nil
}

// Close frees the connections that are kept.
func (c *Client) Close() { c.http.CloseIdleConnections() }

package transfer

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 60 * time.Second
	// writeBuffer halves the writes of a part's body against the default; reading stays at the default, because a read
	// larger than the buffer goes past it, without a copy.
	writeBuffer = 64 << 10
)

// newSourceClient makes the client for the archive's host. HTTP/1.1 alone: HTTP/2 would put all ranges on one
// connection, and the limit that CDNs and S3 set for each connection would hold for all of them together. No proxy from
// the environment: it would resolve the name itself, and the guard would see the proxy's address only. Nothing is
// decompressed: the bytes are the archive.
func newSourceClient(g guard, concurrency int, tlsConfig *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, ControlContext: g.control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: g.checkRedirect,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, Protocols: protocols, TLSClientConfig: tlsConfig,
			DisableCompression: true, TLSHandshakeTimeout: handshakeTimeout, IdleConnTimeout: idleTimeout,
			MaxIdleConns: concurrency + 4, MaxIdleConnsPerHost: concurrency + 4, MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// StorageHTTPClient is the HTTP client to build the S3 client with (config.WithHTTPClient): connections are kept for as
// many parts as fly at once, HTTP/1.1, larger writes. concurrency 0 means the default of Options.
func StorageHTTPClient(concurrency int) *awshttp.BuildableClient {
	if concurrency <= 0 {
		concurrency = defaultConcurrency
	}
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		t.Protocols = protocols
		t.ForceAttemptHTTP2 = false
		t.MaxIdleConns = concurrency + 8
		t.MaxIdleConnsPerHost = concurrency + 8
		t.WriteBufferSize = writeBuffer
	})
}

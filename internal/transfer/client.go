package transfer

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 60 * time.Second
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

// TuneStorage is an option of the S3 client that New takes, the last one: s3.NewFromConfig(cfg, transfer.TuneStorage(n)).
// Connections are kept for as many parts as fly at once, speak HTTP/1.1, and send bodies in large pieces.
// concurrency 0 means the default of Options. A client whose HTTP client is not the SDK's own stays as it is.
func TuneStorage(concurrency int) func(*s3.Options) {
	if concurrency <= 0 {
		concurrency = defaultConcurrency
	}
	return func(o *s3.Options) {
		o.DisableLogOutputChecksumValidationSkipped = true // of reading ranges back, which have none
		client, ok := o.HTTPClient.(*awshttp.BuildableClient)
		if !ok {
			return
		}
		o.HTTPClient = client.WithTransportOptions(func(t *http.Transport) {
			protocols := new(http.Protocols)
			protocols.SetHTTP1(true)
			t.Protocols = protocols
			t.ForceAttemptHTTP2 = false
			t.MaxIdleConns = concurrency + 8
			t.MaxIdleConnsPerHost = concurrency + 8
			t.DialTLSContext = dialStorage(t)
		})
	}
}

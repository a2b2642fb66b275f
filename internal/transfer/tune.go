package transfer

import (
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const handshakeTimeout = 10 * time.Second

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

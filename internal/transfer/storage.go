package transfer

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// S3 is what a transfer asks of the S3 client. *s3.Client is one.
type S3 interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	ListParts(context.Context, *s3.ListPartsInput, ...func(*s3.Options)) (*s3.ListPartsOutput, error)
	ListMultipartUploads(context.Context, *s3.ListMultipartUploadsInput, ...func(*s3.Options)) (*s3.ListMultipartUploadsOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// plainHTTP reports whether the client's endpoint is without TLS, where the SDK cannot send a body that does not rewind.
func plainHTTP(client S3) bool {
	c, ok := client.(interface{ Options() s3.Options })
	return ok && strings.HasPrefix(aws.ToString(c.Options().BaseEndpoint), "http://")
}

// once makes the SDK send a call one time: the retry is this package's, with its budget.
func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// storageError sorts an error of the S3 client by what helps: trying again, trying later, or nothing.
func storageError(op string, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	if failure.IsContextError(err) {
		return failure.As(op, KindStorageUnavailable, err)
	}
	e := &Error{
		Op: op, Kind: KindStorageUnavailable, Reason: bucket.Reason(err),
		Temporary: bucket.IsTransient(err), Pushback: bucket.IsThrottling(err), Gone: bucket.ErrorCode(err) == "NoSuchUpload",
	}
	if e.Reason == "" { // no answer: the network
		e.Err = bucket.Innermost(err)
	}
	if !e.Temporary && !e.Gone {
		e.Kind = KindStorageRefused
	}
	return e
}

func isCode(err error, codes ...string) bool { return slices.Contains(codes, bucket.ErrorCode(err)) }

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

package transfer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	e := &Error{Op: op, Kind: KindStorageUnavailable, Temporary: true}
	code, status := bucket.ErrorCode(err), bucket.ErrorStatus(err)
	switch {
	case code == "" && status == 0: // no answer: the network
		e.Err = failure.WithoutURL(bucket.Innermost(err))
		return e
	case throttlingCodes[code], status == 429, status == 503:
		e.Pushback = true
	case code == "NoSuchUpload":
		e.Temporary, e.Gone = false, true
	case status >= 500, temporaryCodes[code], status >= 200 && status < 300: // an error inside a 200 may pass
	default:
		e.Kind, e.Temporary = KindStorageRefused, false
	}
	e.Reason = strings.TrimSpace(code + " " + bucket.ErrorMessage(err))
	return e
}

// temporaryCodes are errors with a 4xx status that another attempt of the same call heals (S3 API Reference, "Error
// responses"): the body or the clock was at fault, not the call.
var temporaryCodes = map[string]bool{
	"RequestTimeout": true, "IncompleteBody": true, "BadDigest": true, "XAmzContentChecksumMismatch": true,
	"RequestTimeTooSkewed": true, "OperationAborted": true, "ConditionalRequestConflict": true, "InternalError": true,
	"ServiceUnavailable": true, "ExpiredToken": true, "TokenRefreshRequired": true,
}

// throttlingCodes ask for fewer requests. Some of them come with status 400 ("Error responses", S3 API Reference; the
// names with KMS are those of the key's service, which S3 passes on).
var throttlingCodes = map[string]bool{
	"SlowDown": true, "Throttling": true, "ThrottlingException": true, "RequestLimitExceeded": true,
	"TooManyRequestsException": true, "KMS.ThrottlingException": true, "KMS.LimitExceededException": true,
}

func isCode(err error, codes ...string) bool { return slices.Contains(codes, bucket.ErrorCode(err)) }

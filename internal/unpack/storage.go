package unpack

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// attempts of one call. The SDK's own token bucket bounds the retries of all calls together.
const attempts = 8

// temporaryCodes are errors with a 4xx status that another attempt heals (S3 API Reference, "Error responses"), beyond
// those that the SDK knows: the body or the clock was at fault, not the call.
var temporaryCodes = []string{
	"IncompleteBody", "BadDigest", "XAmzContentChecksumMismatch", "OperationAborted", "ConditionalRequestConflict",
	"ServiceUnavailable", "InternalError", "KMS.ThrottlingException", "ThrottlingException",
}

// tuned is the client with the SDK's retries as unpacking needs them: each attempt has its own time, whatever the call's
// context has.
func tuned(client *s3.Client, opt Options) *s3.Client {
	o := client.Options()
	o.ExpressCredentials = nil // two clients must not share the SDK's own
	codes := retry.RetryableErrorCode{Codes: map[string]struct{}{}}
	for _, c := range temporaryCodes {
		codes.Codes[c] = struct{}{}
	}
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = opt.backoff
		o.Retryables = append([]retry.IsErrorRetryable{codes}, o.Retryables...)
	})
	o.Retryer = retryer
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(attemptTimeout(opt.CallTimeout), "Retry", middleware.After)
	})
	return s3.New(o)
}

// attemptTimeout bounds an attempt.
type attemptTimeout time.Duration

func (attemptTimeout) ID() string { return "unpack:attemptTimeout" }

func (t attemptTimeout) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	limited, cancel := context.WithTimeout(ctx, time.Duration(t))
	if middleware.GetOperationName(ctx) == "GetObject" { // its body is read after the call, with a timer of its own
		limited, cancel = ctx, func() {}
	}
	defer cancel()
	out, metadata, err := next.HandleFinalize(limited, in)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = noAnswer{}
	}
	return out, metadata, err
}

// noAnswer is an attempt that took too long.
type noAnswer struct{}

func (noAnswer) Error() string        { return "no answer in time" }
func (noAnswer) RetryableError() bool { return true }

// storageError sorts an error of the S3 client, after its retries, by what helps: running again, or nothing.
func storageError(op string, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	e := &Error{Op: op, Kind: KindStorageUnavailable}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		e.Kind = KindCanceled
	}
	code, status := bucket.ErrorCode(err), bucket.ErrorStatus(err)
	if code == "" && status == 0 { // no answer: the network
		for u := (*url.Error)(nil); errors.As(err, &u); {
			err = u.Err // the layer that quotes the URL
		}
		e.Err = bucket.Innermost(err)
		return e
	}
	if status >= 400 && status < 500 && status != 408 && status != 429 && code != "ExpiredToken" && code != "NoSuchUpload" &&
		code != "InvalidPart" { // a process of the same owner sent a part again
		e.Kind = KindStorageRefused
		if slices.Contains(temporaryCodes, code) {
			e.Kind = KindStorageUnavailable
		}
	}
	e.Reason = strings.TrimSpace(code + " " + bucket.ErrorMessage(err))
	return e
}

func isMissing(err error) bool {
	return bucket.ErrorStatus(err) == 404 && bucket.ErrorCode(err) != "NoSuchBucket"
}

func isPrecondition(err error) bool {
	return bucket.ErrorStatus(err) == 412 || bucket.ErrorCode(err) == "PreconditionFailed"
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

package unpack

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// attempts of one call. The SDK's own token bucket bounds the retries of all calls together.
const attempts = 8

// tuned is the client with the SDK's retries as unpacking needs them: each attempt has its own time, whatever the call's
// context has.
func tuned(client *s3.Client, opt Options) *s3.Client {
	o := client.Options()
	o.ExpressCredentials = nil // two clients must not share the SDK's own
	o.Retryer = retry.AddWithErrorCodes(retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = attempts, opt.backoff
	}), bucket.TransientCodes...)
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
	limited, cancel := ctx, func() {}
	switch middleware.GetOperationName(ctx) {
	case "GetObject": // its body is read after the call, with a timer of its own
	case "UploadPart", "UploadPartCopy":
		limited, cancel = outlasting(ctx, time.Duration(t))
	default:
		limited, cancel = context.WithTimeout(ctx, time.Duration(t))
	}
	defer cancel()
	out, metadata, err := next.HandleFinalize(limited, in)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = noAnswer{}
	}
	return out, metadata, err
}

// partGrace is how long a part may still take when another entry's error has ended the run.
const partGrace = 5 * time.Second

// outlasting is the context of an attempt to make a part. S3 goes on with a part whose request was given up, and what it makes
// after the upload was aborted stays ("AbortMultipartUpload", S3 API Reference). So where an error ends the run and its uploads
// are to be aborted, the parts under way get a moment. A deadline, and a caller who gives up, end them at once: nothing is
// aborted then.
func outlasting(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if cause != errCheckpoint && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
			select {
			case <-time.After(partGrace):
			case <-attempt.Done():
			}
		}
		cancel()
	})
	return attempt, func() { stop(); cancel() }
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
	e := &Error{Op: op, Kind: KindStorageUnavailable, Reason: bucket.Reason(err)}
	if e.Reason == "" { // no answer: the network
		e.Err = bucket.Innermost(err)
	}
	code := bucket.ErrorCode(err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Kind = KindCanceled
	case code == "NoSuchUpload", code == "InvalidPart": // a process of the same owner was at it
	case !bucket.IsTransient(err):
		e.Kind = KindStorageRefused
	}
	return e
}

// isAnother: the key holds another object than the one that was meant, or none.
func isAnother(err error) bool { return bucket.IsChanged(err) || bucket.IsMissing(err) }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

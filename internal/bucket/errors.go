package bucket

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// ErrTooLarge says that an object has more bytes than its reader takes.
var ErrTooLarge = errors.New("the object is larger than it may be")

// IsMissing says that there is no such object (or version of it), which is not the same as no such bucket.
func IsMissing(err error) bool {
	return slices.Contains([]string{"NoSuchKey", "NoSuchVersion", "NotFound",
		"MethodNotAllowed"}, ErrorCode(err)) // the last is a delete marker's
}

// IsChanged says that a condition on an object did not hold: another object is at the key, or one at all.
func IsChanged(err error) bool {
	return ErrorCode(err) == "PreconditionFailed" || ErrorCode(err) == "ConditionalRequestConflict" ||
		ErrorStatus(err) == http.StatusPreconditionFailed
}

// IsBeyond says that an object is shorter than the range that was asked for.
func IsBeyond(err error) bool { return ErrorCode(err) == "InvalidRange" }

// throttlingCodes ask for fewer requests, some of them with status 400. Those with KMS are the key's service's, which S3
// passes on.
var throttlingCodes = []string{"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded",
	"TooManyRequestsException", "KMS.ThrottlingException", "KMS.LimitExceededException"}

// TransientCodes may come with a 4xx status, and another attempt of the same call heals them (S3 API Reference, "Error
// responses"): the body, the clock, the moment or the load was at fault, not the call.
var TransientCodes = slices.Concat(throttlingCodes, []string{"RequestTimeout", "IncompleteBody", "BadDigest",
	"XAmzContentChecksumMismatch", "RequestTimeTooSkewed", "OperationAborted", "ConditionalRequestConflict", "InternalError",
	"ServiceUnavailable", "ExpiredToken", "TokenRefreshRequired"})

// IsThrottling says that S3 asks for fewer requests.
func IsThrottling(err error) bool {
	status := ErrorStatus(err)
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable ||
		slices.Contains(throttlingCodes, ErrorCode(err))
}

// IsTransient says that the same call may succeed later. Any other error stays until somebody changes something. One
// inside a 200 may pass, and so may one without an answer.
func IsTransient(err error) bool {
	status := ErrorStatus(err)
	return status < 300 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests ||
		slices.Contains(TransientCodes, ErrorCode(err))
}

// failed makes the named error of a failure of S3. It says nothing of the URL.
func (b Bucket) failed(op, key string, err error) error {
	what := fmt.Sprintf("S3: %s %.100q in %q", op, key, b.Name)
	var api smithy.APIError
	if !errors.As(err, &api) {
		reason := err
		for u := (*url.Error)(nil); errors.As(reason, &u); {
			reason = u.Err
		}
		return archive.NewError(archive.DestinationUnavailable, err, "%s: %.300v. Start the execution again later", what, reason)
	}
	reason := api.ErrorCode()
	if m := api.ErrorMessage(); m != "" {
		reason += ": " + strings.TrimRight(m, ".")
	}
	if !IsTransient(err) {
		return archive.NewError(archive.DestinationRefused, err, "%s: %.300s. Check the bucket, its policy, its KMS key "+
			"and the function's role", what, reason)
	}
	return archive.NewError(archive.DestinationUnavailable, err, "%s: %.300s. Start the execution again later", what, reason)
}

// ErrorCode is the code that S3 answered with; "" when there was no answer.
func ErrorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// ErrorStatus is the HTTP status of S3's answer; 0 when there was none.
func ErrorStatus(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) && r.Response != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

// Reason is the code that S3 answered with, and its words or else what the status means; "" when there was no answer.
func Reason(err error) string {
	message := http.StatusText(ErrorStatus(err))
	if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorMessage() != "" {
		message = api.ErrorMessage()
	}
	return strings.TrimSpace(ErrorCode(err) + " " + message)
}

// Innermost is the cause below the layers of the SDK and of net/http, whose text repeats the call, its host and its URL.
func Innermost(err error) error {
	for u := (*url.Error)(nil); errors.As(err, &u); {
		err = u.Err
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// IsPrintable says that a text is printable ASCII, which an object's metadata can hold as it is.
func IsPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

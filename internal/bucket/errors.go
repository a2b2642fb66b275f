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

// refusals are S3's answers that stay the same until somebody changes something.
var refusals = []string{"AccessDenied", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "PermanentRedirect",
	"AllAccessDisabled", "AccountProblem", "InvalidBucketName", "KMS.DisabledException", "KMS.NotFoundException"}

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
	if status := ErrorStatus(err); slices.Contains(refusals, api.ErrorCode()) || !slices.Contains(transientCodes, api.ErrorCode()) &&
		status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests {
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

// ErrorMessage is what S3 said beside the code, or else what the status means.
func ErrorMessage(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != "" {
		return api.ErrorMessage()
	}
	return http.StatusText(ErrorStatus(err))
}

// Innermost is the cause below the SDK's layers, whose text repeats the call and its host.
func Innermost(err error) error {
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

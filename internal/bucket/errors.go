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
		"MethodNotAllowed"}, codeOf(err)) // the last is a delete marker's
}

// IsChanged says that a condition on an object did not hold: another object is at the key, or one at all.
func IsChanged(err error) bool {
	return codeOf(err) == "PreconditionFailed" || codeOf(err) == "ConditionalRequestConflict" ||
		statusOf(err) == http.StatusPreconditionFailed
}

// IsBeyond says that an object is shorter than the range that was asked for.
func IsBeyond(err error) bool { return codeOf(err) == "InvalidRange" }

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
	if status := statusOf(err); slices.Contains(refusals, api.ErrorCode()) || !slices.Contains(transientCodes, api.ErrorCode()) &&
		status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests {
		return archive.NewError(archive.DestinationRefused, err, "%s: %.300s. Check the bucket, its policy, its KMS key "+
			"and the function's role", what, reason)
	}
	return archive.NewError(archive.DestinationUnavailable, err, "%s: %.300s. Start the execution again later", what, reason)
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func statusOf(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) && r.Response != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

package transfer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Kind is what a caller can act on.
type Kind string

const (
	// KindURLExpired: the source refused the URL (400, 401, 403, 410). A fresh URL of the same archive resumes the upload.
	KindURLExpired Kind = "URL expired"
	// KindChanged: the source is no longer the archive that the transfer began with. The upload is aborted.
	KindChanged Kind = "source changed"
	// KindCorrupt: what the source serves is not a whole ZIP archive. The upload is aborted; no object appears.
	KindCorrupt Kind = "archive corrupt"
	// KindTooLarge: the archive does not fit into an S3 object, or into the memory given. The upload is aborted.
	KindTooLarge Kind = "archive too large"
	// KindForbidden: the guard does not let a request go to where the URL, a redirect or DNS points.
	KindForbidden Kind = "source forbidden"
	// KindConflict: the key holds an object that this owner may not replace.
	KindConflict Kind = "destination conflict"
	// KindSourceUnavailable: the source failed for longer than retries last. Running again resumes the upload.
	KindSourceUnavailable Kind = "source unavailable"
	// KindStorageUnavailable: S3 failed for longer than retries last. Running again resumes the upload.
	KindStorageUnavailable Kind = "storage unavailable"
	// KindStorageRefused: S3 said no for good: access, bucket, KMS key, region. The upload is aborted, if S3 lets us.
	KindStorageRefused Kind = "storage refused"
	// KindInvalid: the call itself is wrong.
	KindInvalid Kind = "invalid"
	// KindCanceled: the caller's context ended. Running again resumes the upload.
	KindCanceled Kind = "canceled"
)

// Error says what was being done, what kind of failure it was and why. Its text never holds a URL's path or query.
type Error struct {
	Op     string // what was being done, e.g. "read source"
	Kind   Kind
	Reason string // for a person
	Err    error  // the cause, if there is one beyond Reason

	temporary bool          // trying again soon may help
	pushback  bool          // the other side asks for less
	after     time.Duration // it named this wait
	gone      bool          // S3 does not know the upload
}

func (e *Error) Error() string {
	text := e.Op + ": " + string(e.Kind)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Resumable tells whether the upload was left in place for the next Run to go on with.
func (k Kind) Resumable() bool {
	switch k {
	case KindURLExpired, KindSourceUnavailable, KindStorageUnavailable, KindCanceled:
		return true
	}
	return false
}

func invalid(format string, args ...any) *Error {
	return &Error{Op: "transfer", Kind: KindInvalid, Reason: fmt.Sprintf(format, args...)}
}

// asError returns err as this package's error; whatever has no kind yet is op's failure of that kind, worth a retry.
func asError(op string, kind Kind, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if isContextError(err) {
		return &Error{Op: op, Kind: KindCanceled, Err: withoutURL(err)}
	}
	return &Error{Op: op, Kind: kind, Err: withoutURL(err), temporary: true}
}

// isContextError compares by identity: errors.Is would take a dialer's own timeout for the end of a context.
func isContextError(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err == context.Canceled || err == context.DeadlineExceeded {
			return true
		}
	}
	return false
}

// inTime turns the end of a call's own time, while the caller still has some, into an error worth a retry.
func inTime(caller context.Context, op string, err error) error {
	if err != nil && caller.Err() == nil && isContextError(err) {
		return &Error{Op: op, Kind: KindStorageUnavailable, Reason: "no answer in time", temporary: true}
	}
	return err
}

// withoutURL drops the layer of an error that quotes the URL: a signed URL is a credential.
func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

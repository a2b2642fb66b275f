// Package failure is how a transfer fails: the error that its parts return, with what may help, and the budget that
// bounds all retries of a transfer together.
package failure

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Kind is what a caller can act on.
type Kind string

const (
	// URLExpired: the source refused the URL (401, 403, 410, or 400 with S3's words for it). A fresh URL of the same
	// archive resumes the upload.
	URLExpired Kind = "URL expired"
	// Changed: the source is no longer the archive that the transfer began with. The upload is aborted.
	Changed Kind = "source changed"
	// Corrupt: what the source serves is not a whole ZIP archive. The upload is aborted; no object appears.
	Corrupt Kind = "archive corrupt"
	// Incomplete: the archive has fewer files than it must have. The upload is aborted; no object appears.
	Incomplete Kind = "archive incomplete"
	// NoArchive: there is no archive at the URL, and trying again does not help: the URL is none, its host answers
	// something else, or in a form that is not read here. The upload is aborted.
	NoArchive Kind = "no archive there"
	// TooLarge: the archive does not fit into an S3 object, or into the memory given. The upload is aborted.
	TooLarge Kind = "archive too large"
	// Forbidden: the guard does not let a request go to where the URL, a redirect or DNS points.
	Forbidden Kind = "source forbidden"
	// Conflict: the key holds an object that this owner may not replace.
	Conflict Kind = "destination conflict"
	// SourceUnavailable: the source failed for longer than retries last. Running again resumes the upload.
	SourceUnavailable Kind = "source unavailable"
	// StorageUnavailable: S3 failed for longer than retries last. Running again resumes the upload.
	StorageUnavailable Kind = "storage unavailable"
	// StorageRefused: S3 said no for good: access, bucket, KMS key, region. The upload is aborted, if S3 lets us.
	StorageRefused Kind = "storage refused"
	// Invalid: the call itself is wrong.
	Invalid Kind = "invalid"
	// Canceled: the caller's context ended. Running again resumes the upload.
	Canceled Kind = "canceled"
)

// Resumable reports whether the upload was left in place for the next run to go on with.
func (k Kind) Resumable() bool {
	switch k {
	case URLExpired, SourceUnavailable, StorageUnavailable, Canceled:
		return true
	}
	return false
}

// Error says what was being done, what kind of failure it was and why. Its text never holds a URL's path or query.
type Error struct {
	Op     string // what was being done, e.g. "read source"
	Kind   Kind
	Reason string // for a person
	Err    error  // the cause, if there is one beyond Reason
	// Advice says what to do where that of the kind does not fit; "" where it does.
	Advice string

	Temporary bool          // trying again soon may help
	Pushback  bool          // the other side asks for less
	After     time.Duration // it named this wait
	Odd       bool          // an answer that is tried again a few times only
	Slow      bool          // bytes come too slowly, or none
	Gone      bool          // S3 does not know the upload
}

// maxText bounds each part of an error's text: what a server or a library says may be of any length.
const maxText = 300

func (e *Error) Error() string {
	text := e.Op + ": " + string(e.Kind)
	if e.Reason != "" {
		text += ": " + Bounded(e.Reason, maxText)
	}
	if e.Err != nil {
		text += ": " + Bounded(e.Err.Error(), maxText)
	}
	return text
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Final is the error without the hint to try again, so that no outer loop multiplies the attempts of an inner one.
func (e *Error) Final() *Error {
	f := *e
	f.Temporary, f.Pushback = false, false
	return &f
}

// Bounded cuts what others say to at most n bytes, without control characters and letters beyond ASCII.
func Bounded(s string, n int) string {
	cut := len(s) > n
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '.'
		}
		return r
	}, s[:min(len(s), n)])
	if cut {
		s += "..."
	}
	return s
}

// New makes an error of a kind that no retry heals, with a reason in fmt's format.
func New(op string, kind Kind, format string, args ...any) *Error {
	return &Error{Op: op, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// As returns err as an *Error; whatever has no kind yet is op's failure of that kind, worth a retry.
func As(op string, kind Kind, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if IsContextError(err) {
		return &Error{Op: op, Kind: Canceled, Err: WithoutURL(err)}
	}
	return &Error{Op: op, Kind: kind, Err: WithoutURL(err), Temporary: true}
}

// IsContextError compares by identity: errors.Is would take a dialer's own timeout for the end of a context.
func IsContextError(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err == context.Canceled || err == context.DeadlineExceeded {
			return true
		}
	}
	return false
}

// WithoutURL drops the layer of an error that quotes the URL: a signed URL is a credential.
func WithoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

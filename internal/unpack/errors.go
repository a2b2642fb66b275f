package unpack

import (
	"context"
	"errors"
	"fmt"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// Kind is what a caller can act on.
type Kind string

const (
	// KindCorrupt: the archive is damaged.
	KindCorrupt Kind = "archive corrupt"
	// KindUnsupported: the archive may be whole, but uses what cannot be unpacked here: encryption, another method.
	KindUnsupported Kind = "archive not supported"
	// KindTooLarge: the archive has more entries, or a larger entry, than can be unpacked.
	KindTooLarge Kind = "archive too large"
	// KindChanged: the archive at the key is not, or no longer, the one to unpack.
	KindChanged Kind = "archive changed"
	// KindConflict: a key holds an object that this owner may not replace.
	KindConflict Kind = "destination conflict"
	// KindStorageUnavailable: S3 failed for longer than retries last. Running again goes on.
	KindStorageUnavailable Kind = "storage unavailable"
	// KindStorageRefused: S3 said no for good: access, bucket, KMS key, region.
	KindStorageRefused Kind = "storage refused"
	// KindInvalid: the call itself is wrong.
	KindInvalid Kind = "invalid"
	// KindCanceled: the caller's context ended. Running again goes on.
	KindCanceled Kind = "canceled"
	// KindInternal: a fault of this package.
	KindInternal Kind = "internal"
)

// Error says what was being done, what kind of failure it was and why.
type Error struct {
	Op     string // what was being done, e.g. "write a/b.png"
	Kind   Kind
	Reason string // for a person
	Err    error  // the cause, if there is one beyond Reason

	done, total int64 // objects
}

func (e *Error) Error() string {
	text := e.Op + ": " + string(e.Kind)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.total > 0 {
		text += fmt.Sprintf(" (%d of %d objects are there)", e.done, e.total)
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

func invalid(format string, args ...any) *Error {
	return &Error{Op: "unpack", Kind: KindInvalid, Reason: fmt.Sprintf(format, args...)}
}

func entryError(kind Kind, name, format string, args ...any) *Error {
	// A name may have 64 KiB.
	return &Error{Op: fmt.Sprintf("read entry %.200q", name), Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// failure is what Run returns for err: an *Error that says how far it came.
func (r *run) failure(ctx context.Context, err error) *Error {
	var e *Error
	var format *zipfile.Error
	switch {
	case errors.As(err, &e):
		copied := *e
		e = &copied
	case errors.As(err, &format):
		e = &Error{Op: "read ZIP directory", Kind: KindCorrupt, Reason: format.Reason}
	default:
		e = storageError("read archive", err)
	}
	if ctx.Err() != nil && (e.Kind == KindStorageUnavailable || e.Kind == KindCanceled) {
		e = &Error{Op: e.Op, Kind: KindCanceled, Err: ctx.Err()}
	}
	e.done, e.total = r.result.Objects, r.result.TotalObjects
	return e
}

package transfer

import "github.com/scenario-archive/scenario-archive/internal/transfer/failure"

// Error is what Run and Abort return: what was being done, of what kind the failure is, and why.
type Error = failure.Error

// Kind is what a caller can act on.
type Kind = failure.Kind

// The kinds of errors; package failure says what each means and whether the upload stays.
const (
	KindURLExpired         = failure.URLExpired
	KindChanged            = failure.Changed
	KindCorrupt            = failure.Corrupt
	KindIncomplete         = failure.Incomplete
	KindNoArchive          = failure.NoArchive
	KindTooLarge           = failure.TooLarge
	KindForbidden          = failure.Forbidden
	KindConflict           = failure.Conflict
	KindSourceUnavailable  = failure.SourceUnavailable
	KindStorageUnavailable = failure.StorageUnavailable
	KindStorageRefused     = failure.StorageRefused
	KindInvalid            = failure.Invalid
	KindCanceled           = failure.Canceled
)

func invalid(format string, args ...any) *Error {
	return failure.New("transfer", KindInvalid, format, args...)
}

package archive

import "fmt"

// Failure is what every named error is made of: a message for the person who reads the execution, which says what to
// change, and the error it came from. The message holds no secret and no signed URL.
type Failure struct {
	message string
	err     error
}

// Error returns the message.
func (f Failure) Error() string { return f.message }

// Unwrap returns the error this one was made from, or nil.
func (f Failure) Unwrap() error { return f.err }

// The named errors. The Lambda runtime reports a Go error by the name of its outermost type, and the state machine's
// Retry and Catch match that name: so each is a type of its own, and a handler returns one of them as it is, never
// wrapped.
type (
	// RequestInvalid: the request can never work as it is. Not retried.
	RequestInvalid struct{ Failure }
	// Unauthorized: Scenario refused the API key and secret. Not retried.
	Unauthorized struct{ Failure }
	// RateLimited: Scenario asks for fewer requests or fewer concurrent jobs. Retried by the state machine.
	RateLimited struct{ Failure }
	// ScenarioUnavailable: Scenario's API did not answer, or answered with a server error. Retried by the state
	// machine.
	ScenarioUnavailable struct{ Failure }
	// LaunchUncertain: the answer to a launch was lost, so a job may exist. Not retried, for it could exist twice.
	LaunchUncertain struct{ Failure }
	// JobFailed: Scenario's job ended in failure.
	JobFailed struct{ Failure }
	// JobCanceled: Scenario's job was canceled.
	JobCanceled struct{ Failure }
	// JobTimedOut: Scenario's job did not end before the request's deadline.
	JobTimedOut struct{ Failure }
	// ArchiveURLExpired: the signed URL is refused (403, 410). The state machine polls the job for a fresh one.
	ArchiveURLExpired struct{ Failure }
	// ArchiveChanged: the archive at the source is no longer the one whose transfer began.
	ArchiveChanged struct{ Failure }
	// ArchiveCorrupt: what the source serves is not a whole ZIP file.
	ArchiveCorrupt struct{ Failure }
	// ArchiveTooLarge: the archive is over S3's limit for an object.
	ArchiveTooLarge struct{ Failure }
	// SourceForbidden: the archive's URL, or one it redirects to, is at an address that is not allowed.
	SourceForbidden struct{ Failure }
	// SourceUnavailable: the archive's host did not answer, or not as it should. Retried by the state machine.
	SourceUnavailable struct{ Failure }
	// DestinationConflict: the key in S3 is taken by an object of somebody else.
	DestinationConflict struct{ Failure }
	// DestinationRefused: S3 refuses the write for good (permissions, no such bucket, KMS key).
	DestinationRefused struct{ Failure }
	// DestinationUnavailable: S3 did not answer, or asked to slow down. Retried by the state machine.
	DestinationUnavailable struct{ Failure }
	// BatchFailed: more of a batch's archives failed than are tolerated. Its manifest names each.
	BatchFailed struct{ Failure }
	// Misconfigured: the deployment lacks a setting or a permission that the function needs.
	Misconfigured struct{ Failure }
	// Internal: a fault of this software, which no change of the request mends.
	Internal struct{ Failure }
)

func (Failure) named() {}

// IsNamed says whether err is itself, not only wraps, one of the named errors.
func IsNamed(err error) bool {
	_, ok := err.(interface{ named() })
	return ok
}

// Because makes what a named error is built from: RequestInvalid{Because(nil, "…")}. cause may be nil; its text is not
// part of the message.
func Because(cause error, format string, args ...any) Failure {
	return Failure{message: fmt.Sprintf(format, args...), err: cause}
}

func invalid(format string, args ...any) error { return RequestInvalid{Because(nil, format, args...)} }

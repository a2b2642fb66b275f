package archive

import (
	"errors"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// Name names an error of a step: the state machine's Retry and Catch match it, and a person who reads an execution knows the
// error by it.
type Name string

// The named errors. docs/errors.md has a row for each.
const (
	// RequestInvalid: the request can never work as it is. Not retried.
	RequestInvalid Name = "RequestInvalid"
	// Unauthorized: Scenario refused the API key and secret. Not retried.
	Unauthorized Name = "Unauthorized"
	// RateLimited: Scenario asks for fewer requests or fewer concurrent jobs. Retried by the state machine.
	RateLimited Name = "RateLimited"
	// ScenarioUnavailable: Scenario's API did not answer, or answered with a server error. Retried by the state machine.
	ScenarioUnavailable Name = "ScenarioUnavailable"
	// LaunchUncertain: the answer to a launch was lost, so a job may exist. Not launched again, for it could exist twice:
	// the state machine looks for the job, and ends with this when it is not found.
	LaunchUncertain Name = "LaunchUncertain"
	// JobFailed, JobCanceled and JobTimedOut: Scenario's job ended in failure, was canceled, or did not end before the
	// request's deadline. The state machine ends with them by a poll's status.
	JobFailed   Name = "JobFailed"
	JobCanceled Name = "JobCanceled"
	JobTimedOut Name = "JobTimedOut"
	// ArchiveURLExpired: the signed URL is refused (403, 410). The state machine polls the job for a fresh one.
	ArchiveURLExpired Name = "ArchiveURLExpired"
	// ArchiveChanged: the archive at the source is no longer the one whose transfer began.
	ArchiveChanged Name = "ArchiveChanged"
	// ArchiveCorrupt: what the source serves is not a whole ZIP file.
	ArchiveCorrupt Name = "ArchiveCorrupt"
	// ArchiveIncomplete: the archive has fewer files than assets were asked for, and the request is strict; or none.
	ArchiveIncomplete Name = "ArchiveIncomplete"
	// ArchiveUnsupported: the archive cannot be unpacked here: it is encrypted, or compressed in an unusual way.
	ArchiveUnsupported Name = "ArchiveUnsupported"
	// ArchiveTooLarge: the archive is over S3's limit for an object.
	ArchiveTooLarge Name = "ArchiveTooLarge"
	// SourceForbidden: the archive's URL, or one it redirects to, is at an address that is not allowed.
	SourceForbidden Name = "SourceForbidden"
	// SourceUnavailable: the archive's host did not answer, or not as it should. Retried by the state machine.
	SourceUnavailable Name = "SourceUnavailable"
	// DestinationConflict: the key in S3 is taken by an object of somebody else.
	DestinationConflict Name = "DestinationConflict"
	// DestinationRefused: S3 refuses the write for good (permissions, no such bucket, KMS key).
	DestinationRefused Name = "DestinationRefused"
	// DestinationUnavailable: S3 did not answer, or asked to slow down. Retried by the state machine.
	DestinationUnavailable Name = "DestinationUnavailable"
	// BatchFailed: more of a batch's archives failed than are tolerated. Its manifest names each.
	BatchFailed Name = "BatchFailed"
	// SyncFailed: a run of a sync could not be finished; the cursor has not passed what is missing. The next run goes on.
	SyncFailed Name = "SyncFailed"
	// SyncBusy: another execution has taken over the sync that this one was at.
	SyncBusy Name = "SyncBusy"
	// Misconfigured: the deployment lacks a setting or a permission that the function needs.
	Misconfigured Name = "Misconfigured"
	// Internal: a fault of this software, which no change of the request helps.
	Internal Name = "Internal"
)

// Error is a named error. It may be wrapped: package step finds it in the chain and gives its name to Lambda.
type Error struct {
	Name Name
	// Message is for the person who reads the execution, and says what to change. It holds no secret and no signed URL.
	Message string
	// Err is what the error came from, or nil. Its text is no part of the message.
	Err error
}

// NewError makes a named error with a message in fmt's format (see Message). cause may be nil; its text is not part of the
// message.
func NewError(name Name, cause error, format string, args ...any) *Error {
	return &Error{Name: name, Message: Message(format, args...), Err: cause}
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the error this one came from, or nil.
func (e *Error) Unwrap() error { return e.Err }

// NameOf is the name of the outermost named error in err's chain; "" when there is none.
func NameOf(err error) Name {
	var e *Error
	if errors.As(err, &e) {
		return e.Name
	}
	return ""
}

// FromScenario turns an error of the Scenario client into the named error that a handler may return.
func FromScenario(err error) error {
	if named := (*Error)(nil); errors.As(err, &named) { // the credentials could not be had, so Scenario was not asked
		return named
	}
	var e *scenario.Error
	if !errors.As(err, &e) {
		return NewError(Internal, err, "the call of Scenario's API failed in an unexpected way: %v", err)
	}
	if e.StatusCode >= 300 && e.StatusCode <= 399 {
		return NewError(Misconfigured, err, "the API's base URL is wrong: %v. Set SCENARIO_BASE_URL (the deployment's "+
			"parameter ScenarioBaseUrl) to where it does not redirect", e)
	}
	switch e.Kind {
	case scenario.KindInvalid:
		return NewError(RequestInvalid, err, "Scenario refused the request: %v. Correct the request", e)
	case scenario.KindNotFound:
		return NewError(RequestInvalid, err, "Scenario does not know what was asked for: %v. Check the IDs, the project "+
			"and the API's base URL", e)
	case scenario.KindUnauthorized:
		return NewError(Unauthorized, err, "Scenario refused the API key: %v. Check the key and the secret (the "+
			"deployment's secret, or SCENARIO_API_KEY and SCENARIO_API_SECRET) and what they may do", e)
	case scenario.KindRateLimited:
		return NewError(RateLimited, err, "Scenario asks for fewer requests or fewer jobs at once: %v", e)
	case scenario.KindUncertain:
		return NewError(LaunchUncertain, err, "the answer to the launch was lost: %v. A job may be running at "+
			"Scenario; it was not launched twice", e)
	default:
		return NewError(ScenarioUnavailable, err, "Scenario's API is not available: %v. Try again later", e)
	}
}

func invalid(format string, args ...any) error { return NewError(RequestInvalid, nil, format, args...) }

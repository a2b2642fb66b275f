package rest

import (
	"errors"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// kind is a named error of this API. The name is given as the problem's "error", and as the end of its "type".
type kind struct {
	name   string
	status int
	title  string
}

var (
	errNotFound           = kind{"NotFound", http.StatusNotFound, "There is no such thing here"}
	errMethodNotAllowed   = kind{"MethodNotAllowed", http.StatusMethodNotAllowed, "This cannot be done here"}
	errNotAcceptable      = kind{"NotAcceptable", http.StatusNotAcceptable, "The answer is JSON, which the request does not accept"}
	errMediaType          = kind{"MediaTypeUnsupported", http.StatusUnsupportedMediaType, "The request's body must be JSON"}
	errTooLarge           = kind{"RequestTooLarge", http.StatusRequestEntityTooLarge, "The request is too large"}
	errRequestInvalid     = kind{"RequestInvalid", http.StatusUnprocessableEntity, "The request is invalid"}
	errBodyInvalid        = kind{"RequestInvalid", http.StatusBadRequest, "The request is invalid"} // it is no JSON, or not whole
	errParameterInvalid   = kind{"ParameterInvalid", http.StatusBadRequest, "A parameter or a header is invalid"}
	errIdempotencyReused  = kind{"IdempotencyKeyReused", http.StatusUnprocessableEntity, "The Idempotency-Key was used for another request"}
	errAlreadyEnded       = kind{"AlreadyEnded", http.StatusConflict, "The archive has already ended"}
	errSyncExists         = kind{"SyncExists", http.StatusConflict, "There is a sync of this name"}
	errRateLimited        = kind{"RateLimited", http.StatusTooManyRequests, "Too many requests at once"}
	errServiceUnavailable = kind{"ServiceUnavailable", http.StatusServiceUnavailable, "The service is not available right now"}
	errMisconfigured      = kind{"Misconfigured", http.StatusInternalServerError, "The deployment is not set up"}
	errInternal           = kind{"Internal", http.StatusInternalServerError, "An unexpected error"}
)

const problemType = "urn:scenario-archive:error:"

// problem is an error as the caller gets it (RFC 9457). cause is for the log alone.
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
	Name     string `json:"error"` // extension: the named error

	header http.Header
	cause  error
}

func (p *problem) Error() string { return p.Name + ": " + p.Detail }
func (p *problem) Unwrap() error { return p.cause }

// problem makes one of this kind. What may pass says when to try again.
func (k kind) problem(format string, args ...any) *problem {
	p := &problem{
		Type: problemType + k.name, Title: k.title, Status: k.status, Name: k.name, Detail: archive.Message(format, args...),
		header: http.Header{},
	}
	if k == errRateLimited || k == errServiceUnavailable {
		p.header.Set("Retry-After", "2")
	}
	return p
}

func (p *problem) with(header, value string) *problem {
	p.header.Set(header, value)
	return p
}

func (p *problem) because(cause error) *problem {
	p.cause = cause
	return p
}

// asProblem turns any error of a handler into the problem to answer.
func asProblem(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case archive.NameOf(err) == archive.RequestInvalid:
		return errRequestInvalid.problem("%s", err.Error())
	}
	k, detail := explain(err)
	return k.problem("%s", detail).because(err)
}

func explain(err error) (k kind, detail string) {
	switch archive.NameOf(err) {
	case archive.DestinationRefused:
		return errMisconfigured, "S3 refuses what the API asks of it; check the bucket, its policy, its KMS key and the function's role"
	case archive.DestinationUnavailable:
		return errServiceUnavailable, "S3 does not answer as it should; try again, with the same Idempotency-Key"
	case archive.Unauthorized, archive.Misconfigured:
		return errMisconfigured, "Scenario refuses this deployment; check its API key, its secret and ScenarioBaseUrl"
	case archive.RateLimited:
		return errRateLimited, "Scenario asks for fewer requests; try again in a moment"
	case archive.ScenarioUnavailable:
		return errServiceUnavailable, "Scenario's API does not answer as it should; try again"
	}
	var e *executions.Error
	if !errors.As(err, &e) {
		return errInternal, "an unexpected error; the log has more under the request's ID"
	}
	switch e.Kind {
	case executions.KindNotFound:
		return errNotFound, "there is no archive with this ID; Step Functions forgets one 90 days after its end"
	case executions.KindOtherInput:
		return errIdempotencyReused, "this Idempotency-Key was used with another request in the last 90 days; send that request " +
			"again, or use a new key"
	case executions.KindCursor:
		return errParameterInvalid, "the cursor is not one of this list's, or is older than 24 hours; begin again without it"
	case executions.KindInput:
		return errRequestInvalid, "Step Functions does not take the request as an input"
	case executions.KindThrottled:
		return errRateLimited, "Step Functions asks for fewer calls or executions; try again in a moment"
	case executions.KindRefused:
		return errMisconfigured, "Step Functions refuses this deployment; check STATE_MACHINE_ARN and the function's permissions"
	}
	return errServiceUnavailable, "Step Functions did not answer; try again, with the same Idempotency-Key"
}

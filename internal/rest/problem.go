package rest

import (
	"errors"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// The named errors that only this API has; the others are those of package archive. Each is given as the problem's
// "error", and as the end of its "type".
const (
	errNotFound           = "NotFound"
	errMethodNotAllowed   = "MethodNotAllowed"
	errNotAcceptable      = "NotAcceptable"
	errMediaType          = "MediaTypeUnsupported"
	errTooLarge           = "RequestTooLarge"
	errRequestInvalid     = "RequestInvalid"
	errParameterInvalid   = "ParameterInvalid"
	errIdempotencyReused  = "IdempotencyKeyReused"
	errAlreadyEnded       = "AlreadyEnded"
	errSyncExists         = "SyncExists"
	errRateLimited        = "RateLimited"
	errServiceUnavailable = "ServiceUnavailable"
	errMisconfigured      = "Misconfigured"
	errInternal           = "Internal"
)

var titles = map[string]string{
	errNotFound:           "There is no such thing here",
	errMethodNotAllowed:   "This cannot be done here",
	errNotAcceptable:      "The answer is JSON, which the request does not accept",
	errMediaType:          "The request's body must be JSON",
	errTooLarge:           "The request is too large",
	errRequestInvalid:     "The request is invalid",
	errParameterInvalid:   "A parameter or a header is invalid",
	errIdempotencyReused:  "The Idempotency-Key was used for another request",
	errAlreadyEnded:       "The archive has already ended",
	errSyncExists:         "There is a sync of this name",
	errRateLimited:        "Too many requests at once",
	errServiceUnavailable: "The service is not available right now",
	errMisconfigured:      "The deployment is not set up",
	errInternal:           "An unexpected error",
}

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

func newProblem(status int, name, format string, args ...any) *problem {
	return &problem{
		Type: problemType + name, Title: titles[name], Status: status, Name: name, Detail: archive.Message(format, args...),
		header: http.Header{},
	}
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
	var e *executions.Error
	switch {
	case errors.As(err, &p):
		return p
	case archive.NameOf(err) == archive.RequestInvalid:
		return newProblem(http.StatusUnprocessableEntity, errRequestInvalid, "%s", err.Error())
	case archive.NameOf(err) == archive.DestinationRefused:
		return newProblem(http.StatusInternalServerError, errMisconfigured, "S3 refuses what the API asks of it; check "+
			"the bucket, its policy, its KMS key and the function's role").because(err)
	case archive.NameOf(err) == archive.DestinationUnavailable:
		return newProblem(http.StatusServiceUnavailable, errServiceUnavailable, "S3 does not answer as it should; try "+
			"again, with the same Idempotency-Key").with("Retry-After", "2").because(err)
	case archive.NameOf(err) == archive.Unauthorized, archive.NameOf(err) == archive.Misconfigured:
		return newProblem(http.StatusInternalServerError, errMisconfigured, "Scenario refuses this deployment; check its API "+
			"key, its secret and ScenarioBaseUrl").because(err)
	case archive.NameOf(err) == archive.RateLimited:
		return newProblem(http.StatusTooManyRequests, errRateLimited, "Scenario asks for fewer requests; try again in a "+
			"moment").with("Retry-After", "2").because(err)
	case archive.NameOf(err) == archive.ScenarioUnavailable:
		return newProblem(http.StatusServiceUnavailable, errServiceUnavailable, "Scenario's API does not answer as it should; "+
			"try again").with("Retry-After", "2").because(err)
	case errors.As(err, &e):
		return executionProblem(e)
	}
	return newProblem(http.StatusInternalServerError, errInternal, "an unexpected error; the log has more under the "+
		"request's ID").because(err)
}

func executionProblem(e *executions.Error) *problem {
	var p *problem
	switch e.Kind {
	case executions.KindNotFound:
		p = newProblem(http.StatusNotFound, errNotFound, "there is no archive with this ID; Step Functions forgets one "+
			"90 days after its end")
	case executions.KindOtherInput:
		p = newProblem(http.StatusUnprocessableEntity, errIdempotencyReused, "this Idempotency-Key was used with "+
			"another request in the last 90 days; send that request again, or use a new key")
	case executions.KindCursor:
		p = newProblem(http.StatusBadRequest, errParameterInvalid, "the cursor is not one of this list's, or is older "+
			"than 24 hours; begin again without it")
	case executions.KindInput:
		p = newProblem(http.StatusUnprocessableEntity, errRequestInvalid, "Step Functions does not take the request as "+
			"an input")
	case executions.KindThrottled:
		p = newProblem(http.StatusTooManyRequests, errRateLimited, "Step Functions asks for fewer calls or executions; "+
			"try again in a moment").with("Retry-After", "2")
	case executions.KindRefused:
		p = newProblem(http.StatusInternalServerError, errMisconfigured, "Step Functions refuses this deployment; "+
			"check STATE_MACHINE_ARN and the function's permissions")
	default:
		p = newProblem(http.StatusServiceUnavailable, errServiceUnavailable, "Step Functions did not answer; try "+
			"again, with the same Idempotency-Key").with("Retry-After", "2")
	}
	return p.because(e)
}

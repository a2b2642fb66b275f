package executions

import (
	"context"
	"errors"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind is what a caller can act on.
type Kind string

const (
	// KindNotFound: there is no execution of that name.
	KindNotFound Kind = "not found"
	// KindOtherInput: the name is taken by an execution with another input.
	KindOtherInput Kind = "other input"
	// KindCursor: the cursor of a list is none, or too old.
	KindCursor Kind = "cursor"
	// KindInput: Step Functions refuses the input.
	KindInput Kind = "input"
	// KindThrottled: Step Functions asks for fewer calls or fewer executions. Safe to try again later.
	KindThrottled Kind = "throttled"
	// KindUnavailable: Step Functions did not answer, or answered with a server error. Safe to try again.
	KindUnavailable Kind = "unavailable"
	// KindRefused: Step Functions refuses this caller or this state machine for good: it needs a change of the
	// deployment.
	KindRefused Kind = "refused"
)

// Transient says whether the same call may work later without any change.
func (k Kind) Transient() bool { return k == KindThrottled || k == KindUnavailable }

// Error says what was being done, what kind of failure it was, and the cause.
type Error struct {
	Op   string // e.g. "start the execution"
	Kind Kind
	Err  error // may be nil
}

func (e *Error) Error() string {
	text := e.Op + ": " + string(e.Kind)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// IsKind says whether err is an Error of that kind.
func IsKind(err error, k Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}

var kindOfCode = map[string]Kind{
	"ExecutionDoesNotExist":  KindNotFound,
	"ExecutionAlreadyExists": KindOtherInput,
	"InvalidToken":           KindCursor,
	"InvalidExecutionInput":  KindInput,
	"ExecutionLimitExceeded": KindThrottled,
	"KmsThrottlingException": KindThrottled,
}

func classify(op string, err error) *Error {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	kind := KindUnavailable // the network, a time limit, an answer that makes no sense
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &api) && kindOfCode[api.ErrorCode()] != "":
		kind = kindOfCode[api.ErrorCode()]
	case retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		kind = KindThrottled
	case errors.As(err, &answer) && answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500:
		kind = KindRefused
	}
	return &Error{Op: op, Kind: kind, Err: withoutLayers(err)}
}

// withoutLayers keeps what a person needs of an SDK error, its code and message or the network's, without the retries
// and the URL around them.
func withoutLayers(err error) error {
	var api smithy.APIError
	var network *url.Error
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &network):
		return network.Err
	}
	return err
}

package scenario

import (
	"context"
	"errors"
	"net/http"
)

// lostAnswer is the error of an attempt that brought no answer, or a 2xx whose body could not be read whole.
func lostAnswer(ctx context.Context, call call, status int, maybeSent bool, err error) *Error {
	failure := &Error{Op: call.op, Kind: KindUnavailable, StatusCode: status, Err: err}
	switch {
	case call.launch && maybeSent:
		failure.Kind = KindUncertain
		failure.Reason = "the answer to the launch was lost: a job may have been made"
	case ctx.Err() != nil:
		failure.Kind = KindCanceled
		failure.Err = ctx.Err()
	default:
		failure.Reason = "the API could not be reached, or its answer was lost"
	}
	return failure
}

// unreadable is the error of a 2xx answer that does not have what it must.
func unreadable(call call, got answer, err error) *Error {
	failure := &Error{Op: call.op, Kind: KindUnavailable, StatusCode: got.status, Err: err, RetryAfter: got.retryAfter,
		Reason: "the answer cannot be understood"}
	if call.launch {
		failure.Kind = KindUncertain
		failure.Reason += ": a job may have been made"
	}
	return failure
}

// refusal is the error of an answer that is not 2xx.
func refusal(call call, got answer) *Error {
	failure := &Error{Op: call.op, Kind: kindOf(call, got), StatusCode: got.status, RetryAfter: got.retryAfter,
		noRoute: got.noRoute}
	switch {
	case got.status >= 300 && got.status <= 399:
		failure.Reason = "the API answered with a redirect, which is not followed: check the base URL"
		return failure
	case got.status == http.StatusTooManyRequests:
		failure.Action, failure.Limit = got.clean.ceiling(got.body)
	}
	failure.Reason = got.clean.answer(got.body)
	if got.noRoute {
		failure.Reason = "there is no such endpoint: " + failure.Reason // which speaks of a token
	}
	if failure.Reason == "" {
		failure.Reason = http.StatusText(got.status)
	}
	return failure
}

// kindOf is a status's kind. Of a launch, these prove that no job was made: any 4xx (429 included), and 503 with
// Retry-After. The latter is what a server or gateway says that turns work away before it begins and wants it brought
// again (RFC 9110, 15.6.4); were it wrong, the price is one archive job that nobody reads, against an execution that
// fails in every maintenance window. A bare 503, like 500, 502 and 504, also comes from a gateway whose backend died
// or ran out of time in mid-work.
func kindOf(call call, got answer) Kind {
	switch status := got.status; {
	case status == http.StatusTooManyRequests:
		return KindRateLimited
	case got.noRoute:
		return KindNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return KindUnauthorized
	case status == http.StatusNotFound:
		return KindNotFound
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly: // "bring it again", by their definitions
		return KindUnavailable
	case status < 500:
		return KindInvalid
	case call.launch && (status != http.StatusServiceUnavailable || got.retryAfter == 0):
		return KindUncertain
	default:
		return KindUnavailable
	}
}

// providerError is the error of a provider that gave no credentials.
func providerError(ctx context.Context, op string, err error) *Error {
	var own *Error
	switch {
	case ctx.Err() != nil:
		return &Error{Op: op, Kind: KindCanceled, Err: ctx.Err()}
	case errors.As(err, &own):
		kept := *own
		kept.Op = op
		return &kept
	}
	return &Error{Op: op, Kind: KindUnauthorized, Reason: "the API key and its secret could not be read", Err: err}
}

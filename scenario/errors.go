package scenario

import (
	"fmt"
	"strings"
	"time"
)

// A Kind says what an error means for the caller.
type Kind string

const (
	// KindInvalid: the request is wrong and stays wrong when repeated (most 4xx, or refused before any call).
	KindInvalid Kind = "invalid"
	// KindUnauthorized: the credentials are missing, wrong (401) or do not suffice (403).
	KindUnauthorized Kind = "unauthorized"
	// KindNotFound: the API does not know the job, or an asset of a launch (404); or it has no such endpoint (404, and the
	// 403 by which API Gateway answers for a route that does not exist).
	KindNotFound Kind = "not-found"
	// KindRateLimited: the API wants fewer calls or fewer jobs at once (429). No job was made.
	KindRateLimited Kind = "rate-limited"
	// KindUnavailable: the API, or the way to it, does not work now (5xx, network). Safe to try again later.
	KindUnavailable Kind = "unavailable"
	// KindUncertain: the answer to a launch was lost or cannot be read. A job may exist; its ID is unknown. Launching
	// again may make a second one.
	KindUncertain Kind = "uncertain"
	// KindCanceled: the caller's context ended. For a launch: before anything was sent (else KindUncertain).
	KindCanceled Kind = "canceled"
)

// Error is the type of every error that the client's methods return. Use [errors.As] to reach it.
type Error struct {
	// Op is what was being done: "launch archive", "get job", "cancel job", "get assets", "estimate archive".
	Op string
	// Kind says what the error means for the caller.
	Kind Kind
	// StatusCode is the status of the API's answer; 0 where there was none.
	StatusCode int
	// Reason is the API's own words, shortened, without control characters and without secrets; or the client's, where
	// the API said nothing.
	Reason string
	// RetryAfter is how long the API asked to wait (Retry-After); 0 if it did not.
	RetryAfter time.Duration
	// Action and Limit name the ceiling that was reached (details.actionName, details.actionLimit of a 429).
	Action string
	Limit  int
	// Err is the cause, if there is one: a network or context error, or a provider's. It never is a *url.Error, whose
	// text has the URL.
	Err error

	noRoute bool // the endpoint does not exist, whatever the status is
}

// Error describes the error on one line, without secrets.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("scenario: " + e.Op)
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.StatusCode)
	}
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	if e.Action != "" {
		fmt.Fprintf(&b, " (the limit of %s is %d)", e.Action, e.Limit)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (the API asks to wait %v)", e.RetryAfter)
	}
	if e.Err != nil {
		b.WriteString(": " + cleaner{}.text(e.Err.Error())) // which may quote what a server sent
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

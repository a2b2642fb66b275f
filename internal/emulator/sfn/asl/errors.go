package asl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is a failure in the language's terms: Retry and Catch match Name, and an execution that ends with it shows
// both. The names that start with "States." are the language's own.
type Error struct {
	Name  string
	Cause string
}

func (e *Error) Error() string {
	if e.Cause == "" {
		return e.Name
	}
	return e.Name + ": " + e.Cause
}

// The error names of the language that the executor itself reports.
const (
	errAll            = "States.ALL"
	errTaskFailed     = "States.TaskFailed"
	errTimeout        = "States.Timeout"
	errRuntime        = "States.Runtime"
	errDataLimit      = "States.DataLimitExceeded"
	errResultPath     = "States.ResultPathMatchFailure"
	errItemReader     = "States.ItemReaderFailed"
	reservedErrorName = "States."
)

// knownErrors are the names that start with "States." (AWS, "Error names"). A definition that names another one would
// wait for an error that never comes.
var knownErrors = []string{
	errAll, errTaskFailed, errTimeout, errRuntime, errDataLimit, errResultPath, errItemReader,
	"States.BranchFailed", "States.ExceedToleratedFailureThreshold", "States.HeartbeatTimeout", "States.Http.Socket",
	"States.IntrinsicFailure", "States.NoChoiceMatched", "States.ParameterPathFailure", "States.Permissions",
	"States.QueryEvaluationError", "States.ResultWriterFailed",
}

// matches says whether one of the names, of a Retry or Catch, takes the error. States.Runtime always ends the
// execution; States.DataLimitExceeded is taken only by its own name. (So AWS documents it, under "Error names"; the
// service has been seen to let States.ALL take States.DataLimitExceeded, which a definition should not rely on.)
func (e *Error) matches(names []string) bool {
	if e.Name == errRuntime {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool {
		switch name {
		case e.Name:
			return true
		case errAll:
			return e.Name != errDataLimit
		case errTaskFailed:
			return e.Name != errDataLimit && e.Name != errTimeout
		}
		return false
	})
}

func runtimeError(format string, args ...any) *Error {
	return &Error{Name: errRuntime, Cause: fmt.Sprintf(format, args...)}
}

// The longest error and cause that the API knows, in bytes.
const (
	maxErrorLength = 256
	maxCauseLength = 32_768
)

// toFailure is err in the language's terms.
func toFailure(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{errTaskFailed, err.Error()}
	}
	return &Error{clip(e.Name, maxErrorLength), clip(e.Cause, maxCauseLength)}
}

// clip cuts s to n bytes, not within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// checkSize refuses a text that is larger than what goes from state to state.
func checkSize(text, state string) error {
	if len(text) <= MaxDataSize {
		return nil
	}
	return &Error{errDataLimit, fmt.Sprintf(
		"The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", state)}
}

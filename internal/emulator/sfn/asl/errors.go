package asl

import "slices"

// The error names of the language that the executor itself reports.
const (
	errAll            = "States.ALL"
	errTaskFailed     = "States.TaskFailed"
	errTimeout        = "States.Timeout"
	errHeartbeat      = "States.HeartbeatTimeout"
	errRuntime        = "States.Runtime"
	errDataLimit      = "States.DataLimitExceeded"
	errResultPath     = "States.ResultPathMatchFailure"
	reservedErrorName = "States."
)

// knownErrors are the names that start with "States." (AWS, "Error names"). A definition that names another one would
// wait for an error that never comes.
var knownErrors = []string{
	errAll, errTaskFailed, errTimeout, errHeartbeat, errRuntime, errDataLimit, errResultPath,
	"States.BranchFailed", "States.ExceedToleratedFailureThreshold", "States.Http.Socket", "States.IntrinsicFailure",
	"States.ItemReaderFailed", "States.NoChoiceMatched", "States.ParameterPathFailure", "States.Permissions",
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
			return e.Name != errDataLimit && e.Name != errTimeout && e.Name != errHeartbeat
		case errTimeout:
			return e.Name == errHeartbeat
		}
		return false
	})
}

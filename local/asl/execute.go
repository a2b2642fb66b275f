package asl

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Status is how an execution stands, by the names of the Step Functions API.
type Status string

// The statuses of an execution.
const (
	StatusRunning   Status = "RUNNING"
	StatusSucceeded Status = "SUCCEEDED"
	StatusFailed    Status = "FAILED"
	StatusTimedOut  Status = "TIMED_OUT"
	StatusAborted   Status = "ABORTED"
)

// Result is how an execution ended.
type Result struct {
	Status Status
	Output json.RawMessage // JSON text; only of StatusSucceeded
	Error  string          // error name, may be empty
	Cause  string
}

// Checkpoint is a state boundary: everything needed to run an execution from there on.
type Checkpoint struct {
	State       string          `json:"state"`
	Input       json.RawMessage `json:"input"`   // the state's raw input
	Entered     time.Time       `json:"entered"` // so that a Wait goes on instead of starting over
	Previous    int64           `json:"previousEventId"`
	LastEventID int64           `json:"lastEventId"` // of the history so far
}

// Recorder keeps what happens in one execution. Its methods are called one at a time, in order; an error from it ends
// the run, because an execution that leaves no trace could not be resumed.
type Recorder interface {
	// Event is told each history event.
	Event(Event) error
	// Checkpoint is told each state at the top level before it is entered.
	Checkpoint(Checkpoint) error
}

// Resume is where an execution goes on whose process ended: its last checkpoint, and the events recorded since.
type Resume struct {
	Checkpoint Checkpoint
	Events     []Event
}

// Stop is the cancellation cause (context.WithCancelCause) by which StopExecution ends a run: it ends ABORTED with
// this error and cause. A run whose context ends in any other way is interrupted; see [ErrInterrupted].
type Stop struct{ Name, Cause string }

func (s *Stop) Error() string { return "the execution was stopped" }

// ErrInterrupted is returned when the context ended without a [Stop]: nothing was decided, the execution can be
// resumed.
var ErrInterrupted = errors.New("the execution was interrupted")

// Executor executes machines. One Executor may run any number of executions at once.
type Executor struct {
	Runners Runners
	Clock   Clock          // nil: the real time
	Jitter  func() float64 // a number in [0,1) for JitterStrategy FULL; nil: random. Safe for concurrent use
	Region  string         // named in TaskScheduled events
}

// Run executes m from its start, or from where resume says, until it ends. The error is [ErrInterrupted] or the
// Recorder's; otherwise the result says how the execution ended, as the last event does.
func (x *Executor) Run(ctx context.Context, m *Machine, info ExecutionInfo, resume *Resume, rec Recorder) (Result, error) {
	return Result{}, ErrInterrupted
}

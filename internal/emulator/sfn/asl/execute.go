package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// Limits of Step Functions ("Quotas").
const (
	MaxDataSize = 262_144 // bytes of UTF-8, of any input, output, result or payload
	MaxEvents   = 25_000  // events in a history; the one that ends the execution is the last of them
)

// Result is how an execution ended.
type Result struct {
	Status Status
	Output json.RawMessage // JSON text; only of StatusSucceeded
	Error  string          // error name, may be empty
	Cause  string
}

// Checkpoint is a boundary between states at the top level: all that is needed to run an execution from there on.
type Checkpoint struct {
	State   string          `json:"state"`   // the next state; empty: none, the execution succeeds
	Input   json.RawMessage `json:"input"`   // its raw input
	Entered time.Time       `json:"entered"` // so that a Wait goes on instead of starting over
}

// Recorder keeps what happens in one execution. Record is called with one event at a time, in the order of their IDs;
// next is set when the event ends a state at the top level, and must be kept with the event or not at all. An error
// ends the run, because an execution that leaves no trace could not be resumed.
type Recorder interface {
	Record(e Event, next *Checkpoint) error
}

// Resume is where an execution goes on whose process ended: its last checkpoint and the events from then on, the one
// that carried the checkpoint first.
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

	MapRunner MapRunner    // for distributed Map states; nil: there are none
	Objects   ObjectReader // for their ItemReader; nil: there is no S3
}

// Check says whether there is a runner for each resource that m names.
func (x *Executor) Check(m *Machine) error {
	var problems []error
	for _, r := range m.resources {
		if x.Runners[r] == nil {
			problems = append(problems, fmt.Errorf("the resource %q is not supported here", r))
		}
	}
	if len(m.children) > 0 && x.MapRunner == nil {
		problems = append(problems, errors.New("distributed Map states are not supported here"))
	}
	if m.readsObjects && x.Objects == nil {
		problems = append(problems, errors.New("ItemReader and ResultWriter are not supported here: there is no S3"))
	}
	return errors.Join(problems...)
}

// Run executes m from its start, or from where resume says, until it ends. The error is [ErrInterrupted] or the
// Recorder's; otherwise the result says how the execution ended, as the last event does. On resume the state that was
// in flight runs again, a Wait for the rest of its time, and its retry counters start again.
func (x *Executor) Run(
	ctx context.Context, m *Machine, info ExecutionInfo, resume *Resume, rec Recorder,
) (Result, error) {
	input, err := decodeJSON(info.Input)
	if err != nil {
		return Result{}, fmt.Errorf("the execution's input: %w", err)
	}
	r := newRun(x, info, input, rec)
	r.outer = ctx
	limited, cancel := r.limit(ctx, m)
	defer cancel()
	t := &thread{}
	output, err := r.start(limited, m, t, input, resume)
	return r.finish(ctx, limited, t, output, err)
}

// limit ends the context with the machine's TimeoutSeconds, counted from the execution's start.
func (r *run) limit(ctx context.Context, m *Machine) (context.Context, context.CancelFunc) {
	if m.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return r.clock.WithTimeout(ctx, m.timeout-r.clock.Now().Sub(r.info.StartTime))
}

func (r *run) start(ctx context.Context, m *Machine, t *thread, input any, resume *Resume) (any, error) {
	if resume == nil {
		first := &Checkpoint{State: m.flow.start, Input: r.info.Input, Entered: r.clock.Now()}
		d := Details{Input: encodeJSON(input), RoleARN: r.info.RoleARN}
		if err := r.record(t, "ExecutionStarted", d, first); err != nil {
			return nil, err
		}
		t.prev = 0 // so AWS has it: the first state's predecessor is not the start
		return r.flow(ctx, m.flow, t, &entry{name: m.flow.start, raw: input, top: true})
	}
	at, err := r.resume(t, resume)
	if err != nil || at.name == "" {
		return at.raw, err
	}
	if m.flow.states[at.name] == nil {
		return nil, &Error{errRuntime, "the definition has changed: there is no state '" + at.name + "' to go on with"}
	}
	return r.flow(ctx, m.flow, t, at)
}

// resume sets the run to where it was and closes the task that was in flight, unless its work goes on elsewhere.
func (r *run) resume(t *thread, resume *Resume) (*entry, error) {
	input, err := decodeJSON(resume.Checkpoint.Input)
	if err != nil {
		return &entry{}, fmt.Errorf("the checkpoint's input: %w", err)
	}
	at := &entry{
		name: resume.Checkpoint.State, raw: input, top: true, since: resume.Checkpoint.Entered, events: resume.Events,
	}
	for i, e := range resume.Events {
		r.lastID = e.ID
		if e.Type != "ExecutionStarted" {
			t.prev = e.ID
		}
		at.entered = at.entered || i > 0
	}
	if n := len(resume.Events); n > 0 {
		if last := resume.Events[n-1]; inFlight(last) && !goesOn(last) {
			return at, r.record(t, "TaskFailed", Details{
				ResourceType: last.Details.ResourceType, Resource: last.Details.Resource, Error: "Local.Interrupted",
				Cause: "The local runner ended while the task ran; the task runs again.",
			}, nil)
		}
	}
	return at, nil
}

// inFlight says whether a task was at work after e.
func inFlight(e Event) bool {
	return e.Type == "TaskScheduled" || e.Type == "TaskStarted" || e.Type == "TaskSubmitted"
}

// goesOn says whether the work of e's task is done elsewhere (.sync), so that it is waited for again.
func goesOn(e Event) bool { return strings.Contains(e.Details.Resource, ".sync") }

// interrupted says whether the run's context ended without a Stop.
func (r *run) interrupted() bool {
	var stop *Stop
	return r.outer.Err() != nil && !errors.As(context.Cause(r.outer), &stop)
}

// finish tells how the execution ended. ctx is the caller's, limited the one with the machine's time limit.
func (r *run) finish(ctx, limited context.Context, t *thread, output any, err error) (Result, error) {
	var failure *Error
	var stop *Stop
	switch {
	case err == nil:
		text := encodeJSON(output)
		return Result{Status: StatusSucceeded, Output: json.RawMessage(text)},
			r.record(t, "ExecutionSucceeded", Details{Output: text}, nil)
	case errors.As(err, &failure):
	case errors.Is(err, errTooManyEvents):
		failure = &Error{errRuntime, fmt.Sprintf("The execution reached the maximum number of history events (%d).",
			MaxEvents)}
	case ctx.Err() != nil && errors.As(context.Cause(ctx), &stop):
		t.prev = 0 // so AWS has it
		return Result{Status: StatusAborted, Error: stop.Name, Cause: stop.Cause},
			r.record(t, "ExecutionAborted", Details{Error: stop.Name, Cause: stop.Cause}, nil)
	case r.interrupted():
		return Result{}, ErrInterrupted
	case limited.Err() != nil:
		return Result{Status: StatusTimedOut}, r.record(t, "ExecutionTimedOut", Details{}, nil)
	default:
		return Result{}, err
	}
	return Result{Status: StatusFailed, Error: failure.Name, Cause: failure.Cause},
		r.record(t, "ExecutionFailed", Details{Error: failure.Name, Cause: failure.Cause}, nil)
}

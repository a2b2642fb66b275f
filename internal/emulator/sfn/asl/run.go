package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
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

// ExecutionInfo says which execution it is. Definitions see it through the context object ($$.Execution).
type ExecutionInfo struct {
	ARN, Name       string
	StateMachineARN string
	RoleARN         string
	Input           json.RawMessage // JSON text
	StartTime       time.Time
	RedriveCount    int
	RedriveTime     time.Time // of the last redrive
}

// Result is how an execution ended.
type Result struct {
	Status Status
	Output json.RawMessage // JSON text; only of StatusSucceeded
	Error  string          // error name, may be empty
	Cause  string
}

// Recorder keeps what happens in one execution. Record is called with one event after the other, in the order of their
// IDs; next is set when the event ends a state, and must be kept with the event or not at all. An error ends the run,
// because an execution that leaves no trace could not be resumed.
type Recorder interface {
	Record(e Event, next *Checkpoint) error
}

// Stop is the cancellation cause (context.WithCancelCause) by which StopExecution ends a run: it ends ABORTED with
// this error and cause. A run whose context ends in any other way is interrupted; see [ErrInterrupted].
type Stop struct{ Name, Cause string }

func (s *Stop) Error() string { return "the execution was stopped" }

// ErrInterrupted is returned when the context ended without a [Stop]: nothing was decided, the execution can be
// resumed.
var ErrInterrupted = errors.New("the execution was interrupted")

// errTooManyEvents ends an execution whose history is full.
var errTooManyEvents = errors.New("too many events")

// Executor executes machines. One Executor may run any number of executions at once.
type Executor struct {
	Runners Runners
	Clock   Clock          // nil: the real time
	Jitter  func() float64 // a number in [0,1) for JitterStrategy FULL; nil: random. Safe for concurrent use

	MapRunner MapRunner    // for Map states; nil: there are none
	Objects   ObjectReader // for their ItemReader; nil: there is no S3
}

// Check says whether there is what m needs.
func (x *Executor) Check(m *Machine) error {
	var problems []error
	for _, s := range m.flow.states {
		switch {
		case s.Type == "Task" && x.Runners[s.Resource] == nil:
			problems = append(problems, fmt.Errorf("the resource %q is not supported here", s.Resource))
		case s.Type == "Map" && (x.MapRunner == nil || x.Objects == nil):
			problems = append(problems, errors.New("states of type Map are not supported here: there is no S3"))
		case s.Type == "Map":
			problems = append(problems, x.Check(s.child()))
		}
	}
	return errors.Join(problems...)
}

// Run executes m from its start, or from where resume says, until it ends. The error is [ErrInterrupted] or the
// Recorder's; otherwise the result says how the execution ended, as the last event does.
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
	at, err := r.begin(m, input, resume)
	var output any
	if err == nil {
		output, err = r.flow(limited, &m.flow, at)
	}
	return r.finish(limited, output, err)
}

// run is one execution at work.
type run struct {
	x       *Executor
	info    ExecutionInfo
	clock   Clock
	jitter  func() float64
	outer   context.Context // the caller's
	context *object         // $$
	rec     Recorder
	lastID  int64 // of the last event
	prev    int64 // which event the next one follows
}

// timeFormat is that of the context object's times.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func newRun(x *Executor, info ExecutionInfo, input any, rec Recorder) *run {
	r := &run{x: x, info: info, clock: x.Clock, jitter: x.Jitter, rec: rec, context: newObject(1)}
	if r.clock == nil {
		r.clock = ScaledClock{}
	}
	if r.jitter == nil {
		r.jitter = rand.Float64
	}
	execution := newObject(6)
	execution.set("Id", info.ARN)
	execution.set("Input", input)
	execution.set("StartTime", info.StartTime.UTC().Format(timeFormat))
	execution.set("Name", info.Name)
	execution.set("RoleArn", info.RoleARN)
	execution.set("RedriveCount", number(int64(info.RedriveCount)))
	r.context.set("Execution", execution)
	return r
}

// limit ends the context with the machine's TimeoutSeconds, counted from the execution's start or its last redrive.
func (r *run) limit(ctx context.Context, m *Machine) (context.Context, context.CancelFunc) {
	if m.timeout == 0 {
		return context.WithCancel(ctx)
	}
	from := r.info.StartTime
	if r.info.RedriveCount > 0 {
		from = r.info.RedriveTime
	}
	return r.clock.WithTimeout(ctx, m.timeout-r.clock.Now().Sub(from))
}

// begin is where the run begins: at the first state, or where an earlier run was.
func (r *run) begin(m *Machine, input any, resume *Resume) (*entry, error) {
	if resume != nil {
		return r.resume(m, resume)
	}
	first := &Checkpoint{State: m.flow.StartAt, Input: r.info.Input, Entered: r.clock.Now()}
	d := Details{Input: encodeJSON(input), RoleARN: r.info.RoleARN}
	if err := r.record("ExecutionStarted", d, first); err != nil {
		return nil, err
	}
	r.prev = 0 // so AWS has it: the first state's predecessor is not the start
	return &entry{name: m.flow.StartAt, raw: input}, nil
}

// flow runs the states from at on, and returns the output.
func (r *run) flow(ctx context.Context, w *flow, at *entry) (any, error) {
	for at.name != "" {
		s := &step{r: r, ctx: ctx, entry: at, state: w.states[at.name]}
		output, err := s.pass()
		if err != nil {
			return nil, err
		}
		at = &entry{name: s.next, raw: output}
	}
	return at.raw, nil
}

// record gives the event its place in the history. The last place is kept for the event that ends the execution.
func (r *run) record(kind EventType, d Details, next *Checkpoint) error {
	if r.lastID >= MaxEvents-1 && (!strings.HasPrefix(string(kind), "Execution") || r.lastID >= MaxEvents) {
		return errTooManyEvents
	}
	now := r.clock.Now().UTC().Truncate(time.Millisecond) // as precise as the API is
	e := Event{ID: r.lastID + 1, PreviousID: r.prev, Time: now, Type: kind, Details: d}
	if err := r.rec.Record(e, next); err != nil {
		return err
	}
	r.lastID, r.prev = e.ID, e.ID
	return nil
}

// interrupted says whether the run's context ended without a Stop.
func (r *run) interrupted() bool {
	var stop *Stop
	return r.outer.Err() != nil && !errors.As(context.Cause(r.outer), &stop)
}

// finish records how the execution ended. limited is the context with the machine's time limit.
func (r *run) finish(limited context.Context, output any, err error) (Result, error) {
	var failure *Error
	var stop *Stop
	switch {
	case err == nil:
		text := encodeJSON(output)
		return Result{Status: StatusSucceeded, Output: json.RawMessage(text)},
			r.record("ExecutionSucceeded", Details{Output: text}, nil)
	case errors.As(err, &failure):
	case errors.Is(err, errTooManyEvents):
		failure = runtimeError("The execution reached the maximum number of history events (%d).", MaxEvents)
	case r.outer.Err() != nil && errors.As(context.Cause(r.outer), &stop):
		r.prev = 0 // so AWS has it
		return Result{Status: StatusAborted, Error: stop.Name, Cause: stop.Cause},
			r.record("ExecutionAborted", Details{Error: stop.Name, Cause: stop.Cause}, nil)
	case r.interrupted():
		return Result{}, ErrInterrupted
	case limited.Err() != nil:
		return Result{Status: StatusTimedOut}, r.record("ExecutionTimedOut", Details{}, nil)
	default:
		return Result{}, err
	}
	return Result{Status: StatusFailed, Error: failure.Name, Cause: failure.Cause},
		r.record("ExecutionFailed", Details{Error: failure.Name, Cause: failure.Cause}, nil)
}

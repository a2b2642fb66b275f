package asl

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// run is one execution at work.
type run struct {
	x       *Executor
	info    ExecutionInfo
	clock   Clock
	jitter  func() float64
	outer   context.Context // the caller's
	context *object         // the parts of the context object that do not change

	mu     sync.Mutex // guards what follows, and orders the Recorder's calls
	rec    Recorder
	lastID int64
}

// thread is a line of events that follow each other: the execution, or a branch or item within it.
type thread struct {
	prev int64
	item *object // $$.Map, within a Map state
}

// entry is a state about to be entered.
type entry struct {
	name    string
	raw     any       // the raw input
	top     bool      // at the top level, where checkpoints are
	entered bool      // resumed: its StateEntered event is there already
	since   time.Time // resumed: when it was entered
	events  []Event   // resumed: since the last checkpoint; dropped when what was in flight is taken up
}

// errTooManyEvents ends an execution whose history is full.
var errTooManyEvents = errors.New("too many events")

// timeFormat is that of the context object's times.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func newRun(x *Executor, info ExecutionInfo, input any, rec Recorder) *run {
	r := &run{x: x, info: info, clock: x.Clock, jitter: x.Jitter, rec: rec, context: newObject(3)}
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
	execution.set("RedriveCount", number(0))
	machine := newObject(2)
	machine.set("Id", info.StateMachineARN)
	machine.set("Name", info.StateMachineName)
	r.context.set("Execution", execution)
	r.context.set("StateMachine", machine)
	return r
}

// record gives the event its place in the history. The last place is kept for the event that ends the execution.
func (r *run) record(t *thread, kind EventType, d Details, next *Checkpoint) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lastID >= MaxEvents-1 && (!strings.HasPrefix(string(kind), "Execution") || r.lastID >= MaxEvents) {
		return errTooManyEvents
	}
	now := r.clock.Now().UTC().Truncate(time.Millisecond) // as precise as the API is
	e := Event{ID: r.lastID + 1, PreviousID: t.prev, Time: now, Type: kind, Details: d}
	if err := r.rec.Record(e, next); err != nil {
		return err
	}
	r.lastID = e.ID
	t.prev = e.ID
	return nil
}

// flow runs a graph of states from at on, and returns its output.
func (r *run) flow(ctx context.Context, w *flow, t *thread, at *entry) (any, error) {
	for {
		s := &step{r: r, t: t, entry: at, state: w.states[at.name]}
		output, err := s.pass(ctx)
		if err != nil || s.next == "" {
			return output, err
		}
		at = &entry{name: s.next, raw: output, top: at.top}
	}
}

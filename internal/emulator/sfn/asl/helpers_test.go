package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeClock moves only when someone sleeps, or by advance.
type fakeClock struct {
	mu       sync.Mutex
	now      time.Time
	sleeps   []time.Duration
	timeouts []time.Duration
	timers   []timer
}

type timer struct {
	at   time.Time
	fire func()
}

var testStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newFakeClock() *fakeClock { return &fakeClock{now: testStart} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.sleeps = append(c.sleeps, d)
	c.mu.Unlock()
	c.advance(d)
	return ctx.Err()
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for _, t := range c.timers {
		if !t.at.After(c.now) {
			t.fire()
		}
	}
}

func (c *fakeClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timeouts = append(c.timeouts, d)
	c.timers = append(c.timers, timer{c.now.Add(d), cancel})
	return ctx, cancel
}

// history is a Recorder that keeps everything, and fails once it has failAt events.
type history struct {
	events      []Event
	checkpoints []Checkpoint
	marks       []int // for each checkpoint, the index of the event that carried it
	failAt      int
}

var errDisk = fmt.Errorf("the disk is full")

func (h *history) Record(e Event, next *Checkpoint) error {
	if h.failAt > 0 && len(h.events) == h.failAt {
		return errDisk
	}
	h.events = append(h.events, e)
	if next != nil {
		h.checkpoints = append(h.checkpoints, *next)
		h.marks = append(h.marks, len(h.events)-1)
	}
	return nil
}

// types are the events as "type<previous", in order.
func (h *history) types() string {
	var all []string
	for _, e := range h.events {
		all = append(all, fmt.Sprintf("%s<%d", e.Type, e.PreviousID))
	}
	return strings.Join(all, " ")
}

type runnerFunc func(ctx context.Context, t Task) (json.RawMessage, error)

func (f runnerFunc) Run(ctx context.Context, t Task) (json.RawMessage, error) { return f(ctx, t) }

// echo answers a task with its parameters.
var echo = runnerFunc(func(_ context.Context, t Task) (json.RawMessage, error) { return t.Parameters, nil })

const testResource = "arn:aws:states:::test:work"

func testInfo(input string) ExecutionInfo {
	return ExecutionInfo{
		ARN: "arn:aws:states:us-east-1:000000000000:execution:m:e", Name: "e",
		StateMachineARN: "arn:aws:states:us-east-1:000000000000:stateMachine:m", StateMachineName: "m",
		RoleARN: "arn:aws:iam::000000000000:role/r", Input: json.RawMessage(input), StartTime: testStart,
	}
}

type outcome struct {
	Result
	clock *fakeClock
	hist  *history
}

// execute runs a definition to its end by the fake clock.
func execute(t *testing.T, definition, input string, work runnerFunc) outcome {
	t.Helper()
	m, err := Parse([]byte(definition))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	o := outcome{clock: newFakeClock(), hist: &history{}}
	x := &Executor{
		Clock: o.clock, Jitter: func() float64 { return 0.5 }, Region: "us-east-1",
		Runners: Runners{testResource: work, LambdaInvokeResource: work},
	}
	if o.Result, err = x.Run(t.Context(), m, testInfo(input), nil, o.hist); err != nil {
		t.Fatalf("Run: %v", err)
	}
	checkHistory(t, o)
	return o
}

// checkHistory checks what holds for every history.
func checkHistory(t *testing.T, o outcome) {
	t.Helper()
	for i, e := range o.hist.events {
		if e.ID != int64(i+1) || e.PreviousID >= e.ID {
			t.Errorf("event %d has ID %d and previous %d", i+1, e.ID, e.PreviousID)
		}
	}
	last := o.hist.events[len(o.hist.events)-1]
	want := map[Status]EventType{
		StatusSucceeded: "ExecutionSucceeded", StatusFailed: "ExecutionFailed", StatusTimedOut: "ExecutionTimedOut",
		StatusAborted: "ExecutionAborted",
	}[o.Status]
	if last.Type != want || last.Details.Error != o.Error || last.Details.Output != string(o.Output) {
		t.Errorf("status %s, but the last event is %+v", o.Status, last)
	}
}

// oneState is a machine of one state with these fields.
func oneState(fields string) string {
	return `{"StartAt":"S","States":{"S":{` + fields + `}}}`
}

func wantOutput(t *testing.T, o outcome, want string) {
	t.Helper()
	if o.Status != StatusSucceeded || string(o.Output) != want {
		t.Errorf("got %s %s %s %s\nwant %s", o.Status, o.Output, o.Error, o.Cause, want)
	}
}

func wantFailure(t *testing.T, o outcome, name, cause string) {
	t.Helper()
	if o.Status != StatusFailed || o.Error != name || !strings.Contains(o.Cause, cause) {
		t.Errorf("got %s %s, error %q, cause %q\nwant error %q, cause with %q", o.Status, o.Output, o.Error, o.Cause, name, cause)
	}
}

package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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

// resume is where a run goes on that left this history.
func (h *history) resume() *Resume {
	last := len(h.checkpoints) - 1
	return &Resume{Checkpoint: h.checkpoints[last], Events: h.events[h.marks[last]:]}
}

// types are the events as "type<previous", in order.
func (h *history) types() string {
	var all []string
	for _, e := range h.events {
		all = append(all, fmt.Sprintf("%s<%d", e.Type, e.PreviousID))
	}
	return strings.Join(all, " ")
}

// names are the names in the events of that kind.
func (h *history) names(kind string) string {
	var all []string
	for _, e := range h.events {
		if strings.HasSuffix(string(e.Type), kind) {
			all = append(all, e.Details.Name)
		}
	}
	return strings.Join(all, " ")
}

// waits are the times that passed before the events of that kind, in seconds, where any passed.
func (h *history) waits(kind EventType) (seconds []float64) {
	for i, e := range h.events {
		if i > 0 && e.Type == kind {
			if d := e.Time.Sub(h.events[i-1].Time); d > 0 {
				seconds = append(seconds, d.Seconds())
			}
		}
	}
	return seconds
}

type runnerFunc func(ctx context.Context, t Task) (json.RawMessage, error)

func (f runnerFunc) Run(ctx context.Context, t Task) (json.RawMessage, error) { return f(ctx, t) }

// echo answers a task with its payload.
var echo = runnerFunc(func(_ context.Context, t Task) (json.RawMessage, error) {
	var p struct{ Payload json.RawMessage }
	return p.Payload, json.Unmarshal(t.Parameters, &p)
})

// work is the fields of a Task state whose payload is its input.
const work = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"}`

func testInfo(input string) ExecutionInfo {
	return ExecutionInfo{
		ARN: "arn:aws:states:us-east-1:000000000000:execution:m:e", Name: "e",
		StateMachineARN: "arn:aws:states:us-east-1:000000000000:stateMachine:m",
		RoleARN:         "arn:aws:iam::000000000000:role/r", Input: json.RawMessage(input), StartTime: time.Now(),
	}
}

type outcome struct {
	Result
	hist *history
	took time.Duration
}

func parse(t *testing.T, definition string) *Machine {
	t.Helper()
	m, err := Parse([]byte(definition))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return m
}

// execute runs a definition to its end, in no time.
func execute(t *testing.T, definition, input string, work runnerFunc) (o outcome) {
	t.Helper()
	m := parse(t, definition)
	o.hist = &history{}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		x := &Executor{Jitter: func() float64 { return 0.5 }, Runners: Runners{LambdaInvokeResource: work}}
		var err error
		if o.Result, err = x.Run(t.Context(), m, testInfo(input), nil, o.hist); err != nil {
			t.Fatalf("Run: %v", err)
		}
		o.took = time.Since(began)
	})
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

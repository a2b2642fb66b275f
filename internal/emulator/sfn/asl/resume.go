package asl

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Checkpoint is a boundary between states: all that is needed to run an execution from there on.
type Checkpoint struct {
	State   string          `json:"state"`   // the next state; empty: none, the execution succeeds
	Input   json.RawMessage `json:"input"`   // its raw input
	Entered time.Time       `json:"entered"` // so that a Wait goes on instead of starting over
}

// Resume is where an execution goes on: its last checkpoint and the events from then on, the one that carried the
// checkpoint first. The state after the checkpoint runs again, with its retries counted from zero.
//
// After a kill of the process, a Wait takes the rest of its time, a task of .sync goes on waiting for what it began, and
// a Map state goes on with its Map Run. In a redriven execution a Wait and a task begin again, and a Map state has the
// children of its Map Run redriven that did not succeed.
type Resume struct {
	Checkpoint Checkpoint
	Events     []Event
	Redrive    bool // the execution ended, and is redriven: ExecutionRedriven is yet to be recorded
}

// resume sets the run to where it was.
func (r *run) resume(m *Machine, from *Resume) (*entry, error) {
	input, err := decodeJSON(from.Checkpoint.Input)
	if err != nil {
		return nil, fmt.Errorf("the checkpoint's input: %w", err)
	}
	at := &entry{name: from.Checkpoint.State, raw: input, since: from.Checkpoint.Entered, events: from.Events}
	for _, e := range from.Events {
		r.lastID = e.ID
		if e.Type != "ExecutionStarted" {
			r.prev = e.ID
		}
		at.entered = at.entered || strings.HasSuffix(string(e.Type), "StateEntered")
		if e.Type == "ExecutionRedriven" {
			at.redrive, at.since = true, e.Time
		}
	}
	if m.flow.states[at.name] == nil && at.name != "" {
		return nil, runtimeError("the definition has changed: there is no state '%s' to go on with", at.name)
	}
	if from.Redrive {
		at.redrive, at.since = true, time.Time{}
		return at, r.record("ExecutionRedriven", Details{RedriveCount: r.info.RedriveCount}, nil)
	}
	return at, r.closeTask(from.Events)
}

// closeTask ends, in the history, the task that was in flight when the process was killed, unless its work goes on
// elsewhere.
func (r *run) closeTask(events []Event) error {
	if len(events) == 0 {
		return nil
	}
	last := events[len(events)-1]
	if !inFlight(last) || runsElsewhere(last) {
		return nil
	}
	return r.record("TaskFailed", Details{
		ResourceType: last.Details.ResourceType, Resource: last.Details.Resource, Error: "Local.Interrupted",
		Cause: "The local runner ended while the task ran; the task runs again.",
	}, nil)
}

// inFlight says whether a task was at work after e.
func inFlight(e Event) bool {
	return e.Type == "TaskScheduled" || e.Type == "TaskStarted" || e.Type == "TaskSubmitted"
}

// runsElsewhere says whether the work of e's task is done elsewhere (.sync), so that it is waited for again.
func runsElsewhere(e Event) bool { return strings.Contains(e.Details.Resource, ".sync") }

// begunTask is a task whose work goes on elsewhere while this process does not.
type begunTask struct {
	scheduled int64 // ID of its TaskScheduled event; 0: none was in flight
	at        time.Time
	submitted bool
}

// takeTask looks for the task that was in flight when the last process ended, once: a retry is a task of its own.
func (s *step) takeTask() begunTask {
	events := s.events
	s.events = nil
	if n := len(events); n == 0 || !inFlight(events[n-1]) || !runsElsewhere(events[n-1]) {
		return begunTask{}
	}
	started := begunTask{}
	for _, e := range events {
		switch e.Type {
		case "TaskScheduled":
			started = begunTask{scheduled: e.ID, at: e.Time}
		case "TaskSubmitted":
			started.submitted = true
		}
	}
	return started
}

// seenMapRun is the Map Run that a Map state began before.
type seenMapRun struct {
	arn     string             // empty: none, or none to go on with
	events  map[EventType]bool // of this state's attempt
	redrive bool               // it ended without success, and is redriven
}

// takeMapRun looks for it, once: a retry of the state is a Map Run of its own.
func (s *step) takeMapRun() seenMapRun {
	seen := seenMapRun{events: map[EventType]bool{}}
	ended := false
	for _, e := range s.events {
		switch e.Type {
		case "MapRunStarted", "MapRunRedriven":
			seen.arn, ended = e.Details.MapRunARN, false
			delete(seen.events, "MapRunSucceeded")
		case "MapRunFailed":
			ended = true
			if e.Details.Error == errDataLimit { // so AWS has it: redriving it would fail again
				seen.arn = ""
			}
		case "MapRunAborted":
			ended = true
		case "MapStateFailed":
			continue
		}
		seen.events[e.Type] = true
	}
	if ended && !s.redrive { // the process was killed before a retry
		seen = seenMapRun{events: map[EventType]bool{}}
	}
	seen.redrive = ended && seen.arn != ""
	s.events = nil
	return seen
}

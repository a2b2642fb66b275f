package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const chain = `{"StartAt":"A","States":{
	"A":{"Type":"Task","Resource":"arn:aws:states:::test:work","ResultPath":"$.a","Next":"W"},
	"W":{"Type":"Wait","Seconds":100,"Next":"B"},
	"B":{"Type":"Task","Resource":"arn:aws:states:::test:work","ResultPath":"$.b","Next":"C"},
	"C":{"Type":"Choice","Choices":[{"Variable":"$.b","IsPresent":true,"Next":"D"}]},
	"D":{"Type":"Pass","Parameters":{"n.$":"$.n"},"End":true}}}`

// TestResumeAnywhere ends a run after each of its events, as a killed process would, and goes on with what was
// recorded: finished states do not run again, the outcome is the same, and so is the time spent waiting.
func TestResumeAnywhere(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(chain))
	if err != nil {
		t.Fatal(err)
	}
	for failAt := 1; ; failAt++ {
		calls := map[string]int{}
		clock := newFakeClock()
		x := &Executor{Clock: clock, Runners: Runners{testResource: runnerFunc(
			func(_ context.Context, task Task) (json.RawMessage, error) {
				calls[task.State]++
				return json.RawMessage(`1`), nil
			})}}
		first := &history{failAt: failAt}
		_, err := x.Run(t.Context(), m, testInfo(`{"n":0}`), nil, first)
		if err == nil {
			break
		}
		if !errors.Is(err, errDisk) {
			t.Fatalf("after %d events: %v", failAt, err)
		}
		last := len(first.checkpoints) - 1
		resume := &Resume{Checkpoint: first.checkpoints[last], Events: first.events[first.marks[last]:]}
		second := &history{}
		result, err := x.Run(t.Context(), m, testInfo(`{"n":0}`), resume, second)
		o := outcome{result, clock, &history{events: append(first.events, second.events...)}}
		checkHistory(t, o)
		if err != nil || result.Status != StatusSucceeded || string(result.Output) != `{"n":0}` {
			t.Errorf("after %d events: %+v, %v", failAt, result, err)
		}
		for _, state := range []string{"A", "W", "B", "C", "D"} {
			if n := strings.Count(o.hist.names("StateEntered"), state); n != 1 {
				t.Errorf("after %d events: %s was entered %d times", failAt, state, n)
			}
		}
		if calls["A"] > 2 || calls["B"] > 2 || calls["A"]+calls["B"] > 3 {
			t.Errorf("after %d events: called %v", failAt, calls)
		}
		interrupted := strings.Contains(o.hist.types(), "TaskFailed")
		kind := first.events[len(first.events)-1].Type
		if want := kind == "TaskScheduled" || kind == "TaskStarted"; interrupted != want {
			t.Errorf("after %d events, the last %s: %s", failAt, kind, o.hist.types())
		}
	}
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

func TestResumedWaitGoesOn(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(oneState(`"Type":"Wait","Seconds":100,"End":true`)))
	if err != nil {
		t.Fatal(err)
	}
	for waited, want := range map[time.Duration]time.Duration{30 * time.Second: 70 * time.Second, 200 * time.Second: 0} {
		clock := newFakeClock()
		clock.advance(waited)
		events := []Event{{ID: 1, Type: "ExecutionStarted"}, {ID: 2, Type: "WaitStateEntered"}}
		resume := &Resume{Checkpoint{"S", json.RawMessage(`{"i":1}`), testStart}, events}
		result, err := (&Executor{Clock: clock}).Run(t.Context(), m, testInfo(`{}`), resume, &history{})
		if err != nil || string(result.Output) != `{"i":1}` || fmt.Sprint(clock.sleeps) != fmt.Sprint(positive(want)) {
			t.Errorf("after %v: %+v, %v, slept %v", waited, result, err, clock.sleeps)
		}
	}
}

func positive(d time.Duration) []time.Duration {
	if d == 0 {
		return nil
	}
	return []time.Duration{d}
}

func TestResumeOfAnotherDefinition(t *testing.T) {
	t.Parallel()
	m, _ := Parse([]byte(oneState(`"Type":"Succeed"`)))
	resume := &Resume{Checkpoint{"Gone", json.RawMessage(`{}`), testStart}, []Event{{ID: 1, Type: "ExecutionStarted"}}}
	result, err := (&Executor{}).Run(t.Context(), m, testInfo(`{}`), resume, &history{})
	if err != nil || result.Error != "States.Runtime" || !strings.Contains(result.Cause, "no state 'Gone'") {
		t.Errorf("got %+v, %v", result, err)
	}
	resume.Checkpoint.Input = json.RawMessage(`{`)
	if _, err := (&Executor{}).Run(t.Context(), m, testInfo(`{}`), resume, &history{}); err == nil {
		t.Error("a checkpoint that is not JSON was taken")
	}
	if _, err := (&Executor{}).Run(t.Context(), m, testInfo(`{`), nil, &history{}); err == nil {
		t.Error("an input that is not JSON was taken")
	}
}

func TestStopAndInterrupt(t *testing.T) {
	t.Parallel()
	for name, definition := range map[string]string{
		"task":     oneState(`"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,"Retry":[{"ErrorEquals":["States.ALL"]}]`),
		"in a map": mapState(``, `"I":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true}`),
	} {
		m, err := Parse([]byte(definition))
		if err != nil {
			t.Fatal(err)
		}
		for _, stop := range []bool{true, false} {
			ctx, cancel := context.WithCancelCause(t.Context())
			x := &Executor{Runners: Runners{testResource: runnerFunc(func(ctx context.Context, _ Task) (json.RawMessage, error) {
				cancel(map[bool]error{true: &Stop{"Why", "because"}}[stop])
				<-ctx.Done()
				return nil, ctx.Err()
			})}}
			h := &history{}
			result, err := x.Run(ctx, m, testInfo(`[1]`), nil, h)
			if !stop {
				if !errors.Is(err, ErrInterrupted) || strings.Contains(h.types(), "ExecutionAborted") {
					t.Errorf("%s: %+v, %v, %s", name, result, err, h.types())
				}
				continue
			}
			want := Result{Status: StatusAborted, Error: "Why", Cause: "because"}
			if err != nil || !reflect.DeepEqual(result, want) || !strings.HasSuffix(h.types(), "ExecutionAborted<0") {
				t.Errorf("%s: %+v, %v, %s", name, result, err, h.types())
			}
		}
	}
}

func TestHistoryLimit(t *testing.T) {
	t.Parallel()
	o := execute(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},
		"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}`, `{}`, nil)
	wantFailure(t, o, "States.Runtime", "The execution reached the maximum number of history events (25000).")
	if n := len(o.hist.events); n != MaxEvents {
		t.Errorf("%d events", n)
	}
	o = execute(t, mapState(``, `"I":{"Type":"Pass","Next":"J"},"K":{"Type":"Succeed"},
		"J":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"K"}],"Default":"I"}`), `[{},{}]`, nil)
	wantFailure(t, o, "States.Runtime", "maximum number of history events")
}

func TestRecorderFailureEndsTheRun(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(mapState(``, `"I":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true}`)))
	if err != nil {
		t.Fatal(err)
	}
	x := &Executor{Runners: Runners{testResource: echo}}
	for failAt := 1; failAt < 17; failAt++ {
		if _, err := x.Run(t.Context(), m, testInfo(`[1,2]`), nil, &history{failAt: failAt}); !errors.Is(err, errDisk) {
			t.Errorf("at event %d: %v", failAt, err)
		}
	}
	_, err = x.Run(t.Context(), m, testInfo(`[1,2]`), nil, failAtOnce{})
	if !errors.Is(err, errDisk) {
		t.Errorf("at once: %v", err)
	}
}

type failAtOnce struct{}

func (failAtOnce) Record(Event, *Checkpoint) error { return errDisk }

func TestRunnerProblems(t *testing.T) {
	t.Parallel()
	task := oneState(`"Type":"Task","Resource":"arn:aws:states:::test:work","End":true`)
	o := execute(t, task, `{}`, func(context.Context, Task) (json.RawMessage, error) { return json.RawMessage(`{`), nil })
	wantFailure(t, o, "States.Runtime", "the result of the task is not JSON")
	o = execute(t, oneState(`"Type":"Task","Resource":"arn:aws:states:::nobody:there","End":true`), `{}`, nil)
	wantFailure(t, o, "States.Runtime", `"arn:aws:states:::nobody:there" is not supported here`)
	o = execute(t, task, `{}`, func(context.Context, Task) (json.RawMessage, error) {
		return nil, &Error{strings.Repeat("e", 300), strings.Repeat("é", 20_000)}
	})
	if len(o.Error) != 256 || len(o.Cause) != 32_768 {
		t.Errorf("error of %d bytes, cause of %d", len(o.Error), len(o.Cause))
	}
	if got := (&Error{"A", "b"}).Error() + (&Error{Name: "C"}).Error(); got != "A: bC" {
		t.Error(got)
	}
}

func TestEventJSON(t *testing.T) {
	t.Parallel()
	o := execute(t, `{"StartAt":"M","States":{"M":{"Type":"Map","Next":"S","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}},
		"S":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,"Retry":[{"ErrorEquals":["E"]}]}}}`, `["<&>"]`, failing("E"))
	for _, e := range o.hist.events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Event
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if e.Time = e.Time.Truncate(time.Millisecond); !back.Time.Equal(e.Time) {
			t.Errorf("the time of %s came back as %v", b, back.Time)
		}
		back.Time = e.Time
		if !reflect.DeepEqual(back, e) {
			t.Errorf("%s came back as %+v", b, back)
		}
		if w, _ := json.Marshal(e.WithoutData()); strings.Contains(string(w), "&") || strings.Contains(string(w), "u0026") {
			t.Errorf("data is left in %s", w)
		}
	}
	for _, text := range []string{`[]`, `{"id":"x"}`, `{"id":1,"previousEventId":0,"timestamp":1,"type":"TaskFailed","taskFailedEventDetails":1}`} {
		if err := json.Unmarshal([]byte(text), new(Event)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

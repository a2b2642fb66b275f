package asl

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const chain = `{"StartAt":"A","TimeoutSeconds":1000,"States":{
	"A":{` + work + `,"ResultPath":"$.a","Next":"W"},
	"W":{"Type":"Wait","Seconds":100,"Next":"B"},
	"B":{` + work + `,"ResultPath":"$.b","Next":"C"},
	"C":{"Type":"Choice","Choices":[{"Variable":"$.b","IsPresent":true,"Next":"D"}]},
	"D":{"Type":"Pass","Parameters":{"n.$":"$.n"},"End":true}}}`

// counting answers 1, and counts the calls of each state.
func counting(calls map[string]int) *Executor {
	return &Executor{Runners: Runners{LambdaInvokeResource: runnerFunc(
		func(_ context.Context, task Task) (json.RawMessage, error) {
			calls[task.State]++
			return json.RawMessage(`1`), nil
		})}}
}

// TestResumeAnywhere ends a run after each of its events, as a killed process would, and goes on with what was
// recorded: finished states do not run again, and the outcome is the same.
func TestResumeAnywhere(t *testing.T) {
	t.Parallel()
	m := parse(t, chain)
	for failAt := 1; ; failAt++ {
		first, calls := &history{failAt: failAt}, map[string]int{}
		var err error
		synctest.Test(t, func(t *testing.T) {
			x, info := counting(calls), testInfo(`{"n":0}`)
			if _, err = x.Run(t.Context(), m, info, nil, first); err == nil {
				return
			}
			if !errors.Is(err, errDisk) {
				t.Fatalf("after %d events: %v", failAt, err)
			}
			second := &history{}
			result, err := x.Run(t.Context(), m, info, first.resume(), second)
			o := outcome{Result: result, hist: &history{events: append(first.events, second.events...)}}
			checkHistory(t, o)
			if err != nil || result.Status != StatusSucceeded || string(result.Output) != `{"n":0}` || time.Since(info.StartTime) != 100*time.Second {
				t.Errorf("after %d events: %+v, %v after %v", failAt, result, err, time.Since(info.StartTime))
			}
			if got := o.hist.names("StateEntered"); got != "A W B C D" {
				t.Errorf("after %d events: entered %s", failAt, got)
			}
			kind := first.events[len(first.events)-1].Type
			interrupted := strings.Contains(o.hist.types(), "TaskFailed")
			if want := kind == "TaskScheduled" || kind == "TaskStarted"; interrupted != want {
				t.Errorf("after %d events, the last %s: %s", failAt, kind, o.hist.types())
			}
		})
		if calls["A"] > 2 || calls["B"] > 2 || calls["A"]+calls["B"] > 3 {
			t.Errorf("after %d events: called %v", failAt, calls)
		}
		if err == nil {
			break
		}
	}
}

// TestRedrive has a run fail in each way, and redrives it.
func TestRedrive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		work    runnerFunc // of B, the first time
		stopAt  time.Duration
		timeout bool
		entered string // once redriven
		waited  time.Duration
	}{
		"failed in a task":    {failing("E"), 0, false, "C D", 0},
		"stopped in a Wait":   {nil, 60 * time.Second, false, "B C D", 100 * time.Second},
		"timed out in a task": {slow(time.Hour), 0, false, "C D", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, info, first := parse(t, chain), testInfo(`{"n":0}`), &history{}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.stopAt > 0 {
				time.AfterFunc(c.stopAt, func() { cancel(&Stop{}) })
			}
			x := &Executor{Runners: Runners{LambdaInvokeResource: runnerFunc(func(ctx context.Context, task Task) (json.RawMessage, error) {
				if task.State == "B" {
					return c.work(ctx, task)
				}
				return json.RawMessage("1"), nil
			})}}
			if r, err := x.Run(ctx, m, info, nil, first); err != nil || r.Status == StatusSucceeded {
				t.Fatalf("%s: got %+v, %v", name, r, err)
			}
			time.Sleep(24 * time.Hour)
			calls, second := map[string]int{}, &history{}
			resume := first.resume()
			resume.Redrive = true
			info.RedriveCount, info.RedriveTime = 1, time.Now() // the time limit begins again
			r, err := counting(calls).Run(t.Context(), m, info, resume, second)
			o := outcome{Result: r, hist: &history{events: append(first.events, second.events...)}}
			checkHistory(t, o)
			if err != nil || string(r.Output) != `{"n":0}` || calls["A"] != 0 || calls["B"] != 1 || time.Since(info.RedriveTime) != c.waited {
				t.Errorf("%s: got %+v, %v, called %v in %v", name, r, err, calls, time.Since(info.RedriveTime))
			}
			if got := second.names("StateEntered"); second.events[0].Type != "ExecutionRedriven" || second.events[0].Details.RedriveCount != 1 || got != c.entered {
				t.Errorf("%s: got %s, entered %s", name, second.types(), got)
			}
		})
	}
}

func TestResumedWaitGoesOn(t *testing.T) {
	t.Parallel()
	for waited, want := range map[time.Duration]time.Duration{30 * time.Second: 70 * time.Second, 200 * time.Second: 0} {
		synctest.Test(t, func(t *testing.T) {
			m, entered := parse(t, oneState(`"Type":"Wait","Seconds":100,"End":true`)), time.Now()
			time.Sleep(waited)
			again := time.Now()
			events := []Event{{ID: 1, Type: "ExecutionStarted"}, {ID: 2, Type: "WaitStateEntered"}}
			resume := &Resume{Checkpoint: Checkpoint{"S", json.RawMessage(`{"i":1}`), entered}, Events: events}
			result, err := (&Executor{}).Run(t.Context(), m, testInfo(`{}`), resume, &history{})
			if err != nil || string(result.Output) != `{"i":1}` || time.Since(again) != want {
				t.Errorf("after %v: %+v, %v, waited %v", waited, result, err, time.Since(again))
			}
		})
	}
}

func TestResumeOfAnotherDefinition(t *testing.T) {
	t.Parallel()
	m := parse(t, oneState(`"Type":"Succeed"`))
	resume := &Resume{Checkpoint: Checkpoint{"Gone", json.RawMessage(`{}`), time.Now()}, Events: []Event{{ID: 1, Type: "ExecutionStarted"}}}
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
	m := parse(t, oneState(work+`,"End":true,"Retry":[{"ErrorEquals":["States.ALL"]}]`))
	for _, stop := range []bool{true, false} {
		ctx, cancel := context.WithCancelCause(t.Context())
		x := &Executor{Runners: Runners{LambdaInvokeResource: runnerFunc(func(ctx context.Context, _ Task) (json.RawMessage, error) {
			cancel(map[bool]error{true: &Stop{"Why", "because"}}[stop])
			<-ctx.Done()
			return nil, ctx.Err()
		})}}
		h := &history{}
		result, err := x.Run(ctx, m, testInfo(`[1]`), nil, h)
		if !stop {
			if !errors.Is(err, ErrInterrupted) || strings.Contains(h.types(), "ExecutionAborted") {
				t.Errorf("%+v, %v, %s", result, err, h.types())
			}
			continue
		}
		want := Result{Status: StatusAborted, Error: "Why", Cause: "because"}
		if err != nil || !reflect.DeepEqual(result, want) || !strings.HasSuffix(h.types(), "ExecutionAborted<0") {
			t.Errorf("%+v, %v, %s", result, err, h.types())
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
}

func TestRecorderFailureEndsTheRun(t *testing.T) {
	t.Parallel()
	m := parse(t, oneState(work+`,"End":true`))
	x := &Executor{Runners: Runners{LambdaInvokeResource: echo}}
	for failAt := 1; failAt < 7; failAt++ {
		if _, err := x.Run(t.Context(), m, testInfo(`[1,2]`), nil, &history{failAt: failAt}); !errors.Is(err, errDisk) {
			t.Errorf("at event %d: %v", failAt, err)
		}
	}
}

func TestRunnerProblems(t *testing.T) {
	t.Parallel()
	task := oneState(work + `,"End":true`)
	o := execute(t, task, `{}`, func(context.Context, Task) (json.RawMessage, error) { return json.RawMessage(`{`), nil })
	wantFailure(t, o, "States.Runtime", "the result of the task is not JSON")
	o = execute(t, task, `{}`, func(context.Context, Task) (json.RawMessage, error) {
		return nil, &Error{strings.Repeat("e", 300), strings.Repeat("é", 20_000)}
	})
	if len(o.Error) != 256 || len(o.Cause) != 32_768 {
		t.Errorf("error of %d bytes, cause of %d", len(o.Error), len(o.Cause))
	}
	if got := (&Error{"A", "b"}).Error() + (&Error{Name: "C"}).Error(); got != "A: bC" {
		t.Error(got)
	}
	if err := (&Executor{}).Check(parse(t, task)); err == nil || !strings.Contains(err.Error(), LambdaInvokeResource) {
		t.Errorf("nobody to call: %v", err)
	}
}

func TestEventJSON(t *testing.T) {
	t.Parallel()
	o := execute(t, oneState(work+`,"End":true,"Retry":[{"ErrorEquals":["E"]}]`), `["<&>"]`, failing("E"))
	for _, e := range append(o.hist.events, Event{ID: 99, Type: "ExecutionRedriven", Details: Details{RedriveCount: 2}}) {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Event
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if !back.Time.Equal(e.Time) && e.ID != 99 {
			t.Errorf("the time of %s came back as %v", b, back.Time)
		}
		if back.Time = e.Time; !reflect.DeepEqual(back, e) {
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

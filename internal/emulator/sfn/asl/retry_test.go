package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// failing answers with these errors, one after the other, then with "ok".
func failing(names ...string) runnerFunc {
	n := 0
	return func(context.Context, Task) (json.RawMessage, error) {
		if n++; n <= len(names) {
			return nil, &Error{names[n-1], fmt.Sprint("cause ", n)}
		}
		return json.RawMessage(`"ok"`), nil
	}
}

func repeat(name string, n int) []string { return slices.Repeat([]string{name}, n) }

// TestRetryDelays checks the times between attempts; the jitter source gives 0.5.
func TestRetryDelays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retry  string
		errors []string
		delays []float64 // seconds
		fails  bool
	}{
		"defaults":                 {`{"ErrorEquals":["E"]}`, repeat("E", 3), []float64{1, 2, 4}, false},
		"defaults used up":         {`{"ErrorEquals":["E"]}`, repeat("E", 4), []float64{1, 2, 4}, true},
		"MaxAttempts 0":            {`{"ErrorEquals":["E"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}`, repeat("E", 1), nil, true},
		"interval and rate":        {`{"ErrorEquals":["E"],"IntervalSeconds":3,"BackoffRate":1.5}`, repeat("E", 3), []float64{3, 4.5, 6.75}, false},
		"rate 1":                   {`{"ErrorEquals":["E"],"IntervalSeconds":7,"BackoffRate":1}`, repeat("E", 3), []float64{7, 7, 7}, false},
		"cap":                      {`{"ErrorEquals":["E"],"IntervalSeconds":2,"MaxDelaySeconds":5,"MaxAttempts":4}`, repeat("E", 4), []float64{2, 4, 5, 5}, false},
		"jitter":                   {`{"ErrorEquals":["E"],"IntervalSeconds":2,"JitterStrategy":"FULL"}`, repeat("E", 2), []float64{1, 2}, false},
		"jitter below a cap":       {`{"ErrorEquals":["E"],"IntervalSeconds":8,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}`, repeat("E", 2), []float64{4, 5}, false},
		"jitter NONE":              {`{"ErrorEquals":["E"],"JitterStrategy":"NONE"}`, repeat("E", 1), []float64{1}, false},
		"a counter for each":       {`{"ErrorEquals":["A"],"IntervalSeconds":1},{"ErrorEquals":["B"],"IntervalSeconds":10}`, []string{"A", "B", "A", "B", "A"}, []float64{1, 10, 2, 20, 4}, false},
		"one used up":              {`{"ErrorEquals":["A"],"MaxAttempts":1},{"ErrorEquals":["B"]}`, []string{"A", "B", "A"}, []float64{1, 1}, true},
		"no match":                 {`{"ErrorEquals":["A"]}`, repeat("E", 1), nil, true},
		"one of several":           {`{"ErrorEquals":["A","E"]}`, repeat("E", 1), []float64{1}, false},
		"first match only":         {`{"ErrorEquals":["E"],"MaxAttempts":1},{"ErrorEquals":["States.ALL"],"MaxAttempts":9}`, repeat("E", 2), []float64{1}, true},
		"ALL":                      {`{"ErrorEquals":["States.ALL"]}`, []string{"A", "States.Timeout"}, []float64{1, 2}, false},
		"TaskFailed":               {`{"ErrorEquals":["States.TaskFailed"]}`, repeat("E", 2), []float64{1, 2}, false},
		"TaskFailed and Timeout":   {`{"ErrorEquals":["States.TaskFailed"]}`, repeat("States.Timeout", 1), nil, true},
		"Runtime is never retried": {`{"ErrorEquals":["States.Runtime"]}`, repeat("States.Runtime", 1), nil, true},
		"no delay grows past all":  {`{"ErrorEquals":["E"],"IntervalSeconds":99999999,"BackoffRate":1000}`, repeat("E", 2), []float64{99999999, 99999999}, false},
	} {
		o := execute(t, oneState(work+`,"End":true,"Retry":[`+c.retry+`]`), `{}`, failing(c.errors...))
		if got := o.hist.waits("TaskScheduled"); !slices.Equal(got, c.delays) {
			t.Errorf("%s: waited %v, want %v", name, got, c.delays)
		}
		if c.fails {
			wantFailure(t, o, c.errors[len(c.errors)-1], fmt.Sprint("cause ", len(c.errors)))
		} else {
			wantOutput(t, o, `"ok"`)
		}
	}
}

func TestRetryHistory(t *testing.T) {
	t.Parallel()
	o := execute(t, oneState(work+`,"End":true,"TimeoutSeconds":7,"Retry":[{"ErrorEquals":["E"]}]`), `{}`, failing("E"))
	want := "ExecutionStarted<0 TaskStateEntered<0 TaskScheduled<2 TaskStarted<3 TaskFailed<4 TaskScheduled<5 TaskStarted<6 TaskSucceeded<7 TaskStateExited<8 ExecutionSucceeded<9"
	if got := o.hist.types(); got != want {
		t.Errorf("got %s", got)
	}
	again, _ := json.Marshal(o.hist.events[5])
	if got := string(again); got != `{"id":6,"previousEventId":5,"taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke","region":"us-east-1","parameters":"{\"FunctionName\":\"f\",\"Payload\":{}}","timeoutInSeconds":7},"timestamp":946684801,"type":"TaskScheduled"}` {
		t.Errorf("got %s", got)
	}
}

// TestCountersStartAgain enters a state twice: its retriers have all of their attempts each time.
func TestCountersStartAgain(t *testing.T) {
	t.Parallel()
	n := 0
	o := execute(t, `{"StartAt":"S","States":{
		"S":{`+work+`,"ResultPath":"$.n","Next":"C","Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}]},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":3,"Next":"D"}],"Default":"S"},"D":{"Type":"Succeed"}}}`, `{}`,
		func(context.Context, Task) (json.RawMessage, error) {
			if n++; n%2 == 1 {
				return nil, &Error{Name: "E"}
			}
			return json.RawMessage(fmt.Sprint(n)), nil
		})
	wantOutput(t, o, `{"n":4}`)
}

func TestCatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ catch, err, want string }{
		"whole":           {`{"ErrorEquals":["E"],"Next":"T"}`, "E", `{"Error":"E","Cause":"cause 1"}`},
		"ResultPath":      {`{"ErrorEquals":["E"],"Next":"T","ResultPath":"$.x.error"}`, "E", `{"in":1,"x":{"error":{"Error":"E","Cause":"cause 1"}}}`},
		"ResultPath null": {`{"ErrorEquals":["E"],"Next":"T","ResultPath":null}`, "E", `{"in":1}`},
		"first match":     {`{"ErrorEquals":["A"],"Next":"U"},{"ErrorEquals":["E"],"Next":"T","ResultPath":null},{"ErrorEquals":["States.ALL"],"Next":"U"}`, "E", `{"in":1}`},
		"ALL":             {`{"ErrorEquals":["A"],"Next":"U"},{"ErrorEquals":["States.ALL"],"Next":"T","ResultPath":null}`, "E", `{"in":1}`},
		"no match":        {`{"ErrorEquals":["A"],"Next":"T"},{"ErrorEquals":["B"],"Next":"U"}`, "E", ""},
		"not placeable":   {`{"ErrorEquals":["E"],"Next":"T","ResultPath":"$.in.x"}`, "E", ""},
	} {
		u := ""
		if strings.Contains(c.catch, `"U"`) {
			u = `,"U":{"Type":"Fail"}`
		}
		o := execute(t, `{"StartAt":"S","States":{"S":{`+work+`,"Next":"T",
			"OutputPath":"$.unused","ResultPath":"$.r","Catch":[`+c.catch+`]},"T":{"Type":"Succeed"}`+u+`}}`, `{"in":1}`, failing(c.err))
		if c.want == "" && o.Status != StatusFailed || c.want != "" && string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s", name, o.Status, o.Output, o.Error)
		}
	}
	o := execute(t, `{"StartAt":"S","States":{"S":{`+work+`,"End":true,
		"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]},"T":{"Type":"Succeed"}}}`, `{}`,
		func(context.Context, Task) (json.RawMessage, error) { return nil, errors.New("plain") })
	wantOutput(t, o, `{"Error":"States.TaskFailed","Cause":"plain"}`)
	if got := o.hist.types(); !strings.HasSuffix(got, "TaskFailed<4 TaskStateExited<5 SucceedStateEntered<6 SucceedStateExited<7 ExecutionSucceeded<8") {
		t.Errorf("got %s", got)
	}
}

// slow takes that long, or until its time is over.
func slow(d time.Duration) runnerFunc {
	return func(ctx context.Context, _ Task) (json.RawMessage, error) {
		return json.RawMessage(`"done"`), ScaledClock{}.Sleep(ctx, d)
	}
}

func TestTaskTimeout(t *testing.T) {
	t.Parallel()
	o := execute(t, oneState(work+`,"End":true,"TimeoutSeconds":5`), `{}`, slow(5*time.Second-1))
	wantOutput(t, o, `"done"`)
	o = execute(t, oneState(work+`,"End":true,"TimeoutSeconds":5`), `{}`, slow(time.Minute))
	wantFailure(t, o, "States.Timeout", "")
	if got := o.hist.types(); !strings.HasSuffix(got, "TaskStarted<3 TaskTimedOut<4 ExecutionFailed<5") || o.took != 5*time.Second {
		t.Errorf("got %s after %v", got, o.took)
	}
	o = execute(t, `{"StartAt":"S","States":{"S":{`+work+`,"End":true,"TimeoutSeconds":1,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"T"}]},
		"T":{"Type":"Succeed"}}}`, `{}`, slow(time.Minute))
	wantOutput(t, o, `{"Error":"States.Timeout","Cause":""}`)
}

func TestMachineTimeout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		states string
		want   Status
	}{
		"in a Wait":                            {`"S":{"Type":"Wait","Seconds":11,"End":true}`, StatusTimedOut},
		"just in time":                         {`"S":{"Type":"Wait","Seconds":9,"End":true}`, StatusSucceeded},
		"in a task, which Catch does not save": {`"S":{` + work + `,"End":true,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]},"T":{"Type":"Succeed"}`, StatusTimedOut},
	} {
		o := execute(t, `{"StartAt":"S","TimeoutSeconds":10,"States":{`+c.states+`}}`, `{}`, slow(time.Minute))
		if o.Status != c.want || o.Error != "" || o.took > 10*time.Second {
			t.Errorf("%s: %s %s after %v", name, o.Status, o.Error, o.took)
		}
	}
}

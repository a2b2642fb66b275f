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

func retrying(retry string) string {
	return oneState(`"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,"Retry":[` + retry + `]`)
}

// TestRetryDelays checks what is asked of the clock; the jitter source gives 0.5.
func TestRetryDelays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retry  string
		errors []string
		delays []int // milliseconds
		fails  bool
	}{
		"defaults":                 {`{"ErrorEquals":["E"]}`, repeat("E", 3), []int{1000, 2000, 4000}, false},
		"defaults used up":         {`{"ErrorEquals":["E"]}`, repeat("E", 4), []int{1000, 2000, 4000}, true},
		"MaxAttempts 0":            {`{"ErrorEquals":["E"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}`, repeat("E", 1), nil, true},
		"interval and rate":        {`{"ErrorEquals":["E"],"IntervalSeconds":3,"BackoffRate":1.5}`, repeat("E", 3), []int{3000, 4500, 6750}, false},
		"rate 1":                   {`{"ErrorEquals":["E"],"IntervalSeconds":7,"BackoffRate":1}`, repeat("E", 3), []int{7000, 7000, 7000}, false},
		"cap":                      {`{"ErrorEquals":["E"],"IntervalSeconds":2,"MaxDelaySeconds":5,"MaxAttempts":4}`, repeat("E", 4), []int{2000, 4000, 5000, 5000}, false},
		"jitter":                   {`{"ErrorEquals":["E"],"IntervalSeconds":2,"JitterStrategy":"FULL"}`, repeat("E", 2), []int{1000, 2000}, false},
		"jitter below a cap":       {`{"ErrorEquals":["E"],"IntervalSeconds":8,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}`, repeat("E", 2), []int{4000, 5000}, false},
		"jitter NONE":              {`{"ErrorEquals":["E"],"JitterStrategy":"NONE"}`, repeat("E", 1), []int{1000}, false},
		"a counter for each":       {`{"ErrorEquals":["A"],"IntervalSeconds":1},{"ErrorEquals":["B"],"IntervalSeconds":10}`, []string{"A", "B", "A", "B", "A"}, []int{1000, 10000, 2000, 20000, 4000}, false},
		"one used up":              {`{"ErrorEquals":["A"],"MaxAttempts":1},{"ErrorEquals":["B"]}`, []string{"A", "B", "A"}, []int{1000, 1000}, true},
		"no match":                 {`{"ErrorEquals":["A"]}`, repeat("E", 1), nil, true},
		"one of several":           {`{"ErrorEquals":["A","E"]}`, repeat("E", 1), []int{1000}, false},
		"first match only":         {`{"ErrorEquals":["E"],"MaxAttempts":1},{"ErrorEquals":["States.ALL"],"MaxAttempts":9}`, repeat("E", 2), []int{1000}, true},
		"ALL":                      {`{"ErrorEquals":["States.ALL"]}`, []string{"A", "States.Timeout"}, []int{1000, 2000}, false},
		"TaskFailed":               {`{"ErrorEquals":["States.TaskFailed"]}`, repeat("E", 2), []int{1000, 2000}, false},
		"TaskFailed and Timeout":   {`{"ErrorEquals":["States.TaskFailed"]}`, repeat("States.Timeout", 1), nil, true},
		"Timeout and heartbeat":    {`{"ErrorEquals":["States.Timeout"]}`, repeat("States.HeartbeatTimeout", 1), []int{1000}, false},
		"Runtime is never retried": {`{"ErrorEquals":["States.Runtime"]}`, repeat("States.Runtime", 1), nil, true},
		"no delay grows past all":  {`{"ErrorEquals":["E"],"IntervalSeconds":99999999,"BackoffRate":1000}`, repeat("E", 2), []int{99999999000, 99999999000}, false},
	} {
		o := execute(t, retrying(c.retry), `{}`, failing(c.errors...))
		var want []time.Duration
		for _, ms := range c.delays {
			want = append(want, time.Duration(ms)*time.Millisecond)
		}
		if !slices.Equal(o.clock.sleeps, want) {
			t.Errorf("%s: slept %v, want %v", name, o.clock.sleeps, want)
		}
		if c.fails {
			wantFailure(t, o, c.errors[len(c.errors)-1], fmt.Sprint("cause ", len(c.errors)))
		} else {
			wantOutput(t, o, `"ok"`)
		}
	}
}

func TestJitterStaysWithinTheDelay(t *testing.T) {
	t.Parallel()
	r := retrier{interval: time.Second, backoff: 2, maxDelay: 5 * time.Second, jitter: true}
	for attempt, most := range []time.Duration{1, 2, 4, 5, 5} {
		for _, random := range []float64{0, 0.25, 0.999999} {
			d := r.delay(attempt, func() float64 { return random })
			if d < 0 || d >= most*time.Second || d != time.Duration(random*float64(most*time.Second)) {
				t.Errorf("attempt %d with %v: %v", attempt, random, d)
			}
		}
	}
}

func TestRetryHistory(t *testing.T) {
	t.Parallel()
	o := execute(t, `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,
		"TimeoutSeconds":7,"HeartbeatSeconds":3,"Parameters":{"n.$":"$$.State.RetryCount"},"Retry":[{"ErrorEquals":["E"]}]}}}`, `{}`, failing("E"))
	want := "ExecutionStarted<0 TaskStateEntered<0 TaskScheduled<2 TaskStarted<3 TaskFailed<4 TaskScheduled<5 TaskStarted<6 TaskSucceeded<7 TaskStateExited<8 ExecutionSucceeded<9"
	if got := o.hist.types(); got != want {
		t.Errorf("got %s", got)
	}
	again, _ := json.Marshal(o.hist.events[5])
	if got := string(again); got != `{"id":6,"previousEventId":5,"taskScheduledEventDetails":{"resourceType":"test","resource":"work","region":"us-east-1","parameters":"{\"n\":1}","timeoutInSeconds":7,"heartbeatInSeconds":3},"timestamp":1767323046,"type":"TaskScheduled"}` {
		t.Errorf("got %s", got)
	}
}

// TestCountersStartAgain enters a state twice: its retriers have all of their attempts each time.
func TestCountersStartAgain(t *testing.T) {
	t.Parallel()
	n := 0
	o := execute(t, `{"StartAt":"S","States":{
		"S":{"Type":"Task","Resource":"arn:aws:states:::test:work","ResultPath":"$.n","Next":"C","Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}]},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":4,"Next":"S"}],"Default":"D"},"D":{"Type":"Succeed"}}}`, `{}`,
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
		o := execute(t, `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::test:work","Next":"T",
			"OutputPath":"$.unused","ResultPath":"$.r","Catch":[`+c.catch+`]},"T":{"Type":"Succeed"}`+u+`}}`, `{"in":1}`, failing(c.err))
		if c.want == "" && o.Status != StatusFailed || c.want != "" && string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s", name, o.Status, o.Output, o.Error)
		}
	}
	o := execute(t, `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,
		"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]},"T":{"Type":"Succeed"}}}`, `{}`,
		func(context.Context, Task) (json.RawMessage, error) { return nil, errors.New("plain") })
	wantOutput(t, o, `{"Error":"States.TaskFailed","Cause":"plain"}`)
	if got := o.hist.types(); !strings.HasSuffix(got, "TaskFailed<4 TaskStateExited<5 SucceedStateEntered<6 SucceedStateExited<7 ExecutionSucceeded<8") {
		t.Errorf("got %s", got)
	}
}

package asl

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]time.Duration{
		`"Seconds":90`:                             90 * time.Second,
		`"Seconds":0`:                              0,
		`"SecondsPath":"$.n"`:                      3 * time.Second,
		`"SecondsPath":"$.zero"`:                   0,
		`"SecondsPath":"$.w","InputPath":"$.deep"`: 8 * time.Second,
		`"SecondsPath":"$$.Execution.Input.n"`:     3 * time.Second,
		`"Timestamp":"2026-01-02T03:05:05Z"`:       time.Minute,
		`"Timestamp":"2026-01-02T04:04:06+01:00"`:  time.Second,
		`"Timestamp":"2020-01-02T03:05:05Z"`:       0,
		`"TimestampPath":"$.at"`:                   1500 * time.Millisecond,
	} {
		o := execute(t, oneState(`"Type":"Wait","End":true,`+fields), `{"n":3,"zero":0,"deep":{"w":8.0},"at":"2026-01-02T03:04:06.5Z"}`, nil)
		var slept time.Duration
		for _, d := range o.clock.sleeps {
			slept += d
		}
		if o.Status != StatusSucceeded || slept != want || len(o.clock.sleeps) > 1 {
			t.Errorf("%s: %s %s after %v, want %v", fields, o.Status, o.Cause, o.clock.sleeps, want)
		}
		if got := o.hist.types(); got != "ExecutionStarted<0 WaitStateEntered<0 WaitStateExited<2 ExecutionSucceeded<3" {
			t.Errorf("got %s", got)
		}
	}
}

func TestWaitFailures(t *testing.T) {
	t.Parallel()
	for fields, cause := range map[string]string{
		`"SecondsPath":"$.missing"`:   "The SecondsPath parameter does not reference an input value: $.missing",
		`"SecondsPath":"$.neg"`:       "references a negative value: $.neg == -1",
		`"SecondsPath":"$.half"`:      "cannot be parsed as a number of seconds: $.half is a number",
		`"SecondsPath":"$.text"`:      "$.text is a string",
		`"SecondsPath":"$.huge"`:      "cannot be parsed as a number of seconds",
		`"TimestampPath":"$.missing"`: "The TimestampPath parameter does not reference an input value: $.missing",
		`"TimestampPath":"$.text"`:    "is not a timestamp",
		`"TimestampPath":"$.neg"`:     "must be a string, $.neg is a number",
	} {
		o := execute(t, oneState(`"Type":"Wait","End":true,`+fields), `{"neg":-1,"half":1.5,"text":"3","huge":100000000}`, nil)
		wantFailure(t, o, "States.Runtime", cause)
	}
}

// slow takes that long by the clock, and then says whether its time was over.
func slow(c **fakeClock, d time.Duration) runnerFunc {
	return func(ctx context.Context, _ Task) (json.RawMessage, error) {
		(*c).advance(d)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return json.RawMessage(`"done"`), nil
	}
}

// executeSlow is execute with tasks that take d.
func executeSlow(t *testing.T, definition, input string, d time.Duration) outcome {
	t.Helper()
	m, err := Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	o := outcome{clock: newFakeClock(), hist: &history{}}
	x := &Executor{Clock: o.clock, Runners: Runners{testResource: slow(&o.clock, d)}}
	if o.Result, err = x.Run(t.Context(), m, testInfo(input), nil, o.hist); err != nil {
		t.Fatal(err)
	}
	checkHistory(t, o)
	return o
}

func TestTaskTimeout(t *testing.T) {
	t.Parallel()
	task := `"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,`
	for _, c := range []struct {
		fields string
		takes  time.Duration
		want   Status
	}{
		{`"TimeoutSeconds":5`, 5*time.Second - 1, StatusSucceeded},
		{`"TimeoutSeconds":5`, 5 * time.Second, StatusFailed},
		{`"TimeoutSecondsPath":"$.t"`, 6*time.Second - 1, StatusSucceeded},
		{`"TimeoutSecondsPath":"$.t"`, 6 * time.Second, StatusFailed},
		{`"HeartbeatSeconds":1`, time.Hour, StatusSucceeded}, // lambda:invoke and its like send none
		{`"HeartbeatSecondsPath":"$.t"`, time.Hour, StatusSucceeded},
	} {
		o := executeSlow(t, oneState(task+c.fields), `{"t":6}`, c.takes)
		if o.Status != c.want || c.want == StatusFailed && (o.Error != "States.Timeout" || o.Cause != "") {
			t.Errorf("%s taking %v: %s %s %s", c.fields, c.takes, o.Status, o.Error, o.Cause)
		}
		if got := o.hist.types(); c.want == StatusFailed && !strings.HasSuffix(got, "TaskStarted<3 TaskTimedOut<4 ExecutionFailed<5") {
			t.Errorf("got %s", got)
		}
	}
	for path, cause := range map[string]string{
		"$.missing": "does not reference an input value", "$.zero": "not positive", "$.text": "is a string",
	} {
		o := executeSlow(t, oneState(task+`"TimeoutSecondsPath":"`+path+`"`), `{"zero":0,"text":"5"}`, 0)
		wantFailure(t, o, "States.Runtime", cause)
	}
	o := executeSlow(t, oneState(task+`"HeartbeatSecondsPath":"$.missing"`), `{}`, 0)
	wantFailure(t, o, "States.Runtime", "HeartbeatSecondsPath")
	o = executeSlow(t, `{"StartAt":"S","States":{"S":{`+task+`"TimeoutSeconds":1,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"T"}]},
		"T":{"Type":"Succeed"}}}`, `{}`, time.Second)
	wantOutput(t, o, `{"Error":"States.Timeout","Cause":""}`)
}

func TestMachineTimeout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		states string
		want   Status
	}{
		"in a Wait":                            {`"S":{"Type":"Wait","Seconds":10,"End":true}`, StatusTimedOut},
		"just in time":                         {`"S":{"Type":"Wait","Seconds":9,"End":true}`, StatusSucceeded},
		"in a task, which Catch does not save": {`"S":{"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]},"T":{"Type":"Succeed"}`, StatusTimedOut},
		"in a branch":                          {`"S":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":10,"End":true}}}]}`, StatusTimedOut},
	} {
		o := executeSlow(t, `{"StartAt":"S","TimeoutSeconds":10,"States":{`+c.states+`}}`, `{}`, time.Minute)
		if o.Status != c.want || o.Error != "" {
			t.Errorf("%s: %s %s", name, o.Status, o.Error)
		}
		if !slices.Equal(o.clock.timeouts[:1], []time.Duration{10 * time.Second}) {
			t.Errorf("%s: limits %v", name, o.clock.timeouts)
		}
	}
}

func TestScaledClock(t *testing.T) {
	t.Parallel()
	c := ScaledClock{Waits: 1e-6, Timeouts: 1e-6}
	if err := c.Sleep(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
	ctx, cancel := c.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	<-ctx.Done()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (ScaledClock{}).Sleep(ended, time.Hour); err == nil {
		t.Error("slept through the end of its context")
	}
}

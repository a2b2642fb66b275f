package asl

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// TestDataFlow checks the order InputPath, Parameters, work, ResultSelector, ResultPath, OutputPath; the task answers
// with its parameters.
func TestDataFlow(t *testing.T) {
	t.Parallel()
	task := `"Type":"Task","Resource":"arn:aws:states:::test:work","End":true`
	const input = `{"a":{"b":[1,2]},"k":"v","big":12345678901234567890}`
	for name, c := range map[string]struct{ fields, want string }{
		"nothing":           {task, input},
		"InputPath":         {task + `,"InputPath":"$.a"`, `{"b":[1,2]}`},
		"InputPath null":    {task + `,"InputPath":null`, `{}`},
		"InputPath context": {task + `,"InputPath":"$$.State.Name"`, `"S"`},
		"InputPath to null ResultPath is the raw input": {task + `,"InputPath":"$.a","ResultPath":null`, input},
		"Parameters":              {task + `,"InputPath":"$.a","Parameters":{"x.$":"$.b[0]","y":{"z.$":"$"},"l":[{"n.$":"$.b[1]"},"$.b"]}`, `{"x":1,"y":{"z":{"b":[1,2]}},"l":[{"n":2},"$.b"]}`},
		"Parameters keep numbers": {task + `,"Parameters":{"big.$":"$.big","c":1.50}`, `{"big":12345678901234567890,"c":1.50}`},
		"Parameters of a scalar":  {task + `,"Parameters":"text"`, `"text"`},
		"ResultSelector":          {task + `,"InputPath":"$.a","ResultSelector":{"first.$":"$.b[0]","state.$":"$$.State.Name"}`, `{"first":1,"state":"S"}`},
		"ResultPath new":          {task + `,"InputPath":"$.a.b","ResultPath":"$.r.s"`, `{"a":{"b":[1,2]},"k":"v","big":12345678901234567890,"r":{"s":[1,2]}}`},
		"ResultPath replaces":     {task + `,"InputPath":"$.a.b","ResultPath":"$.k"`, `{"a":{"b":[1,2]},"k":[1,2],"big":12345678901234567890}`},
		"ResultPath $":            {task + `,"InputPath":"$.k","ResultPath":"$"`, `"v"`},
		"OutputPath":              {task + `,"InputPath":"$.a","ResultPath":"$.r","OutputPath":"$.r.b[1]"`, `2`},
		"OutputPath null":         {task + `,"OutputPath":null`, `{}`},
		"OutputPath context":      {task + `,"OutputPath":"$$.Execution.Name"`, `"e"`},
		"all":                     {task + `,"InputPath":"$.a","Parameters":{"p.$":"$.b"},"ResultSelector":{"q.$":"$.p[0]"},"ResultPath":"$.a.r","OutputPath":"$.a"`, `{"b":[1,2],"r":{"q":1}}`},
		"Pass":                    {`"Type":"Pass","End":true`, input},
		"Pass Result":             {`"Type":"Pass","End":true,"Result":{"x.$":"$.k"},"ResultPath":"$.k"`, `{"a":{"b":[1,2]},"k":{"x.$":"$.k"},"big":12345678901234567890}`},
		"Pass Result null":        {`"Type":"Pass","End":true,"Result":null`, `null`},
		"Pass Parameters":         {`"Type":"Pass","End":true,"Parameters":{"x.$":"States.ArrayLength($.a.b)"},"ResultPath":"$.k","OutputPath":"$.k"`, `{"x":2}`},
		"Succeed":                 {`"Type":"Succeed","InputPath":"$.a","OutputPath":"$.b"`, `[1,2]`},
		"indefinite path":         {`"Type":"Succeed","OutputPath":"$.a.b[?(@ > 1)]"`, `[2]`},
	} {
		o := execute(t, oneState(c.fields), input, echo)
		if o.Status != StatusSucceeded || string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s\nwant %s", name, o.Status, o.Output, o.Cause, c.want)
		}
	}
}

func TestContextObject(t *testing.T) {
	t.Parallel()
	o := execute(t, oneState(`"Type":"Task","Resource":"arn:aws:states:::test:work","End":true,"Parameters":{"c.$":"$$"}`), `{"in":1}`, echo)
	wantOutput(t, o, `{"c":{"Execution":{"Id":"arn:aws:states:us-east-1:000000000000:execution:m:e","Input":{"in":1},`+
		`"StartTime":"2026-01-02T03:04:05.000Z","Name":"e","RoleArn":"arn:aws:iam::000000000000:role/r","RedriveCount":0},`+
		`"StateMachine":{"Id":"arn:aws:states:us-east-1:000000000000:stateMachine:m","Name":"m"},`+
		`"State":{"Name":"S","EnteredTime":"2026-01-02T03:04:05.000Z","RetryCount":0}}}`)
}

// TestDataFailures are the errors of input and output processing; none may be caught but where it says so.
func TestDataFailures(t *testing.T) {
	t.Parallel()
	task := `"Type":"Task","Resource":"arn:aws:states:::test:work","End":true`
	for name, c := range map[string]struct{ fields, errorName, cause string }{
		"InputPath":      {task + `,"InputPath":"$.x"`, "States.Runtime", "An error occurred while executing the state 'S' (entered at the event id #2). The path '$.x' of InputPath could not be found in the input"},
		"OutputPath":     {task + `,"OutputPath":"$.x"`, "States.Runtime", "'$.x' of OutputPath"},
		"Parameters":     {task + `,"Parameters":{"p.$":"$.x"}`, "States.Runtime", "The JSONPath '$.x' specified for the field 'p.$' could not be found in the input"},
		"context":        {task + `,"Parameters":{"p.$":"$$.x"}`, "States.Runtime", "could not be found in the context object"},
		"nested":         {task + `,"Parameters":{"l":[{"p.$":"$.x"}]}`, "States.Runtime", "'p.$'"},
		"function":       {task + `,"Parameters":{"p.$":"States.ArrayGetItem($.secret, 0)"}`, "States.Runtime", "must be an array, not a string"},
		"ResultSelector": {task + `,"ResultSelector":{"p.$":"$.x"}`, "States.Runtime", "'$.x'"},
		"ResultPath":     {task + `,"ResultPath":"$.secret.x"`, "States.ResultPathMatchFailure", `Unable to apply step "$.secret.x" to the input: there is no member "x" of a string.`},
	} {
		for _, retried := range []string{"", `,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]`} {
			definition := `{"StartAt":"R","States":{"R":{"Type":"Choice","Default":"S","Choices":[{"Variable":"$.never","IsPresent":true,"Next":"T"}]},"S":{` + c.fields + retried + `},"T":{"Type":"Succeed"}}}`
			o := execute(t, definition, `{"secret":"s3cr3t"}`, echo)
			cause := strings.Replace(c.cause, "#2", "#4", 1)
			if retried != "" && c.errorName != "States.Runtime" {
				wantOutput(t, o, `{"Error":"`+c.errorName+`","Cause":`+encodeJSON(cause)+`}`)
				continue
			}
			if o.Error != c.errorName || !strings.Contains(o.Cause, cause) || len(o.clock.sleeps) > 0 {
				t.Errorf("%s: got %s %q %q after %v", name, o.Status, o.Error, o.Cause, o.clock.sleeps)
			}
			if strings.Contains(o.Cause, "s3cr3t") {
				t.Errorf("%s: the cause shows data: %s", name, o.Cause)
			}
		}
	}
}

func TestDataLimit(t *testing.T) {
	t.Parallel()
	sized := func(n int) runnerFunc {
		return func(context.Context, Task) (json.RawMessage, error) {
			return json.RawMessage(`"` + strings.Repeat("é", (n-2)/2) + `"`), nil
		}
	}
	task := `"Type":"Task","Resource":"arn:aws:states:::test:work"`
	o := execute(t, oneState(task+`,"End":true`), `{}`, sized(MaxDataSize))
	if o.Status != StatusSucceeded || len(o.Output) != MaxDataSize {
		t.Errorf("a result of exactly the limit: %s %s", o.Status, o.Cause)
	}
	o = execute(t, oneState(task+`,"End":true`), `{}`, sized(MaxDataSize+2))
	wantFailure(t, o, "States.DataLimitExceeded", "The state/task 'test' returned a result with a size exceeding")
	if got := o.hist.events[4].Type; got != "TaskFailed" {
		t.Errorf("the event is %s", got)
	}
	caught := func(name string) outcome {
		return execute(t, `{"StartAt":"S","States":{"S":{`+task+`,"Next":"T","Catch":[{"ErrorEquals":["`+name+`"],"Next":"T"}]},
			"T":{"Type":"Pass","Result":"caught","End":true}}}`, `{}`, sized(MaxDataSize+2))
	}
	wantFailure(t, caught("States.ALL"), "States.DataLimitExceeded", "")
	wantFailure(t, caught("States.TaskFailed"), "States.DataLimitExceeded", "")
	wantOutput(t, caught("States.DataLimitExceeded"), `"caught"`)

	o = execute(t, oneState(task+`,"End":true,"ResultPath":"$.r"`), `{"x":"`+strings.Repeat("x", 100)+`"}`, sized(MaxDataSize-50))
	wantFailure(t, o, "States.DataLimitExceeded", "'S'") // input and result are small enough, not the two together
	o = execute(t, oneState(task+`,"End":true,"Parameters":{"a.$":"$","b.$":"$"}`), `"`+strings.Repeat("x", MaxDataSize/2)+`"`, echo)
	wantFailure(t, o, "States.DataLimitExceeded", "'S'")
}

func TestFail(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string][2]string{
		`"Error":"E","Cause":"because"`: {"E", "because"},
		``:                              {"", ""},
		`"ErrorPath":"$.e","CausePath":"$$.Execution.Name"`:                 {"Named", "e"},
		`"Error":"E","CausePath":"States.Format('{}: {}', $.e, $.n)"`:       {"E", "Named: 1"},
		`"Error":"E","CausePath":"States.JsonToString($)"`:                  {"E", `{"e":"Named","n":1}`},
		`"Error":"E","CausePath":"$.n"`:                                     {"States.Runtime", "An error occurred while executing the state 'S' (entered at the event id #2). The CausePath field must give a string, not a number"},
		`"ErrorPath":"$.missing"`:                                           {"States.Runtime", "An error occurred while executing the state 'S' (entered at the event id #2). The JSONPath '$.missing' specified for the field 'ErrorPath' could not be found in the input"},
		`"Error":"E","Cause":"` + strings.Repeat("é", maxCauseLength) + `"`: {"E", strings.Repeat("é", maxCauseLength/2)},
	} {
		if fields != "" {
			fields = "," + fields
		}
		o := execute(t, oneState(`"Type":"Fail"`+fields), `{"e":"Named","n":1}`, nil)
		if o.Status != StatusFailed || o.Error != want[0] || o.Cause != want[1] {
			t.Errorf("%.80s: got %q %q", fields, o.Error, o.Cause)
		}
		if got := o.hist.types(); got != "ExecutionStarted<0 FailStateEntered<0 ExecutionFailed<2" {
			t.Errorf("got %s", got)
		}
	}
}

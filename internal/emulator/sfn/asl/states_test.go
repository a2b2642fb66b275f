package asl

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestDataFlow checks the order Parameters, work, ResultSelector, ResultPath, OutputPath; the task answers with its
// payload.
func TestDataFlow(t *testing.T) {
	t.Parallel()
	const input = `{"a":{"b":[1,2]},"k":"v","big":12345678901234567890}`
	task := func(payload string) string {
		return `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,"Parameters":{"FunctionName":"f","Payload` + payload + `}`
	}
	for name, c := range map[string]struct{ fields, want string }{
		"nothing":              {task(`.$":"$"`), input},
		"part":                 {task(`.$":"$.a"`), `{"b":[1,2]}`},
		"nested":               {task(`":{"x.$":"$.a.b","y":{"z.$":"$.k"},"l":[{"n.$":"$.k"},"$.b"]}`), `{"x":[1,2],"y":{"z":"v"},"l":[{"n":"v"},"$.b"]}`},
		"numbers as they are":  {task(`":{"big.$":"$.big","c":1.50}`), `{"big":12345678901234567890,"c":1.50}`},
		"context":              {task(`":{"n.$":"$$.Execution.Name","i.$":"$$.Execution.Input.k","r.$":"$$.Execution.RedriveCount"}`), `{"n":"e","i":"v","r":0}`},
		"ResultSelector":       {task(`.$":"$"`) + `,"ResultSelector":{"first.$":"$.k","e.$":"$$.Execution.Name"}`, `{"first":"v","e":"e"}`},
		"ResultPath new":       {task(`.$":"$.k"`) + `,"ResultPath":"$.r.s"`, `{"a":{"b":[1,2]},"k":"v","big":12345678901234567890,"r":{"s":"v"}}`},
		"ResultPath replaces":  {task(`.$":"$.a"`) + `,"ResultPath":"$.k"`, `{"a":{"b":[1,2]},"k":{"b":[1,2]},"big":12345678901234567890}`},
		"ResultPath $":         {task(`.$":"$.k"`) + `,"ResultPath":"$"`, `"v"`},
		"ResultPath null":      {task(`.$":"$.k"`) + `,"ResultPath":null`, input},
		"OutputPath":           {task(`.$":"$.a"`) + `,"ResultPath":"$.r","OutputPath":"$.r.b"`, `[1,2]`},
		"all":                  {task(`":{"p.$":"$.k"}`) + `,"ResultSelector":{"q.$":"$.p"},"ResultPath":"$.a.r","OutputPath":"$.a"`, `{"b":[1,2],"r":{"q":"v"}}`},
		"Pass":                 {`"Type":"Pass","End":true`, input},
		"Pass with Parameters": {`"Type":"Pass","End":true,"Parameters":{"x.$":"States.MathAdd($.n, -1)"},"ResultPath":"$.k","OutputPath":"$.k"`, `{"x":4}`},
		"functions":            {`"Type":"Pass","End":true,"Parameters":{"s.$":"States.JsonToString($.a)","j.$":"States.StringToJson($.j)"}`, `{"s":"{\"b\":[1,2]}","j":{"x":[]}}`},
		"Succeed":              {`"Type":"Succeed","OutputPath":"$.a.b"`, `[1,2]`},
	} {
		in := input
		if strings.Contains(c.fields, "$.n") || strings.Contains(c.fields, "$.j") {
			in = strings.TrimSuffix(input, "}") + `,"n":5.0,"j":"{\"x\":[]}"}`
		}
		o := execute(t, oneState(c.fields), in, echo)
		if o.Status != StatusSucceeded || string(o.Output) != c.want {
			t.Errorf("%s: got %s %s %s\nwant %s", name, o.Status, o.Output, o.Cause, c.want)
		}
	}
}

// TestDataFailures are the errors of input and output processing; none may be caught but where it says so.
func TestDataFailures(t *testing.T) {
	t.Parallel()
	parameters := func(field string) string {
		return `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,"Parameters":{"FunctionName":"f","Payload":{` + field + `}}`
	}
	for name, c := range map[string]struct{ fields, errorName, cause string }{
		"OutputPath":     {work + `,"End":true,"OutputPath":"$.x"`, "States.Runtime", "'$.x' of OutputPath"},
		"Parameters":     {parameters(`"p.$":"$.x"`), "States.Runtime", "An error occurred while executing the state 'S' (entered at the event id #4). The JSONPath '$.x' specified for the field 'p.$' could not be found in the input"},
		"context":        {parameters(`"p.$":"$$.Execution.Input.x"`), "States.Runtime", "could not be found in the context object"},
		"nested":         {parameters(`"l":[{"p.$":"$.secret.x"}]`), "States.Runtime", "'p.$'"},
		"no number":      {parameters(`"p.$":"States.MathAdd($.secret, 1)"`), "States.Runtime", "argument 1 must be an integer of 32 bits, not a string"},
		"no JSON":        {parameters(`"p.$":"States.StringToJson($.secret)"`), "States.Runtime", "the string is not JSON"},
		"no string":      {parameters(`"p.$":"States.StringToJson($)"`), "States.Runtime", "must be a string, not an object"},
		"no argument":    {parameters(`"p.$":"States.JsonToString($.x)"`), "States.Runtime", "the path '$.x' could not be found"},
		"ResultSelector": {work + `,"End":true,"ResultSelector":{"p.$":"$.x"}`, "States.Runtime", "'$.x'"},
		"ResultPath":     {work + `,"End":true,"ResultPath":"$.secret.x"`, "States.ResultPathMatchFailure", `Unable to apply step "$.secret.x" to the input: there is no member "x" of a string.`},
	} {
		for _, retried := range []string{"", `,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}]`} {
			definition := `{"StartAt":"R","States":{"R":{"Type":"Choice","Default":"S","Choices":[{"Variable":"$.never","IsPresent":true,"Next":"T"}]},"S":{` + c.fields + retried + `},"T":{"Type":"Succeed"}}}`
			o := execute(t, definition, `{"secret":"s3cr3t"}`, echo)
			if retried != "" && c.errorName != "States.Runtime" {
				wantOutput(t, o, `{"Error":"`+c.errorName+`","Cause":`+encodeJSON(c.cause)+`}`)
				continue
			}
			if o.Error != c.errorName || !strings.Contains(o.Cause, c.cause) || o.took > 0 {
				t.Errorf("%s: got %s %q %q after %v", name, o.Status, o.Error, o.Cause, o.took)
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
	o := execute(t, oneState(work+`,"End":true`), `{}`, sized(MaxDataSize))
	if o.Status != StatusSucceeded || len(o.Output) != MaxDataSize {
		t.Errorf("a result of exactly the limit: %s %s", o.Status, o.Cause)
	}
	o = execute(t, oneState(work+`,"End":true`), `{}`, sized(MaxDataSize+2))
	wantFailure(t, o, "States.DataLimitExceeded", "The state/task 'lambda' returned a result with a size exceeding")
	caught := func(name string) outcome {
		return execute(t, `{"StartAt":"S","States":{"S":{`+work+`,"Next":"T","Catch":[{"ErrorEquals":["`+name+`"],"Next":"T"}]},
			"T":{"Type":"Pass","Parameters":{"caught":true},"End":true}}}`, `{}`, sized(MaxDataSize+2))
	}
	wantFailure(t, caught("States.ALL"), "States.DataLimitExceeded", "")
	wantFailure(t, caught("States.TaskFailed"), "States.DataLimitExceeded", "")
	wantOutput(t, caught("States.DataLimitExceeded"), `{"caught":true}`)
	o = execute(t, oneState(work+`,"End":true,"ResultPath":"$.r"`), `{"x":"`+strings.Repeat("x", 100)+`"}`, sized(MaxDataSize-50))
	wantFailure(t, o, "States.DataLimitExceeded", "'S'") // input and result are small enough, not the two together
	o = execute(t, oneState(`"Type":"Pass","End":true,"Parameters":{"a.$":"$","b.$":"$"}`), `"`+strings.Repeat("x", MaxDataSize/2)+`"`, echo)
	wantFailure(t, o, "States.DataLimitExceeded", "'S'")
}

func TestFail(t *testing.T) {
	t.Parallel()
	const at = "An error occurred while executing the state 'S' (entered at the event id #2). "
	for fields, want := range map[string][2]string{
		`,"Error":"E","Cause":"because"`: {"E", "because"},
		``:                               {"", ""},
		`,"ErrorPath":"$.e","CausePath":"$$.Execution.Name"`:                 {"Named", "e"},
		`,"Error":"E","CausePath":"States.JsonToString($)"`:                  {"E", `{"e":"Named","n":1}`},
		`,"Error":"E","CausePath":"$.n"`:                                     {"States.Runtime", at + "The CausePath field must give a string, not a number"},
		`,"ErrorPath":"$.missing"`:                                           {"States.Runtime", at + "The JSONPath '$.missing' specified for the field 'ErrorPath' could not be found in the input"},
		`,"Error":"E","Cause":"` + strings.Repeat("é", maxCauseLength) + `"`: {"E", strings.Repeat("é", maxCauseLength/2)},
	} {
		o := execute(t, oneState(`"Type":"Fail"`+fields), `{"e":"Named","n":1}`, nil)
		if o.Status != StatusFailed || o.Error != want[0] || o.Cause != want[1] {
			t.Errorf("%.80s: got %q %q", fields, o.Error, o.Cause)
		}
		if got := o.hist.types(); got != "ExecutionStarted<0 FailStateEntered<0 ExecutionFailed<2" {
			t.Errorf("got %s", got)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]time.Duration{
		`"Seconds":90`:                         90 * time.Second,
		`"Seconds":0`:                          0,
		`"Seconds":99999999`:                   maxSeconds * time.Second,
		`"SecondsPath":"$.n"`:                  3 * time.Second,
		`"SecondsPath":"$.zero"`:               0,
		`"SecondsPath":"$.deep.w"`:             8 * time.Second,
		`"SecondsPath":"$$.Execution.Input.n"`: 3 * time.Second,
	} {
		o := execute(t, oneState(`"Type":"Wait","End":true,`+fields), `{"n":3,"zero":0,"deep":{"w":8.0}}`, nil)
		if o.Status != StatusSucceeded || o.took != want {
			t.Errorf("%s: %s %s after %v, want %v", fields, o.Status, o.Cause, o.took, want)
		}
		if got := o.hist.types(); got != "ExecutionStarted<0 WaitStateEntered<0 WaitStateExited<2 ExecutionSucceeded<3" {
			t.Errorf("got %s", got)
		}
	}
	for path, cause := range map[string]string{
		"$.missing": "The SecondsPath '$.missing' could not be found in the input", "$.neg": "does not reference an integer from 0",
		"$.half": "does not reference an integer", "$.text": "does not reference an integer", "$.huge": "does not reference an integer",
	} {
		o := execute(t, oneState(`"Type":"Wait","End":true,"SecondsPath":"`+path+`"`), `{"neg":-1,"half":1.5,"text":"3","huge":100000000}`, nil)
		wantFailure(t, o, "States.Runtime", cause)
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	const input = `{"s":"text","n":5,"b":true,"json":"{\"errorMessage\":\"x\"}","null":null}`
	for rule, want := range map[string]bool{
		`"Variable":"$.s","StringEquals":"text"`:                                                true,
		`"Variable":"$.s","StringEquals":""`:                                                    false,
		`"Variable":"$.s","StringEquals":"Text"`:                                                false,
		`"Variable":"$.n","StringEquals":"5"`:                                                   false,
		`"Variable":"$.n","NumericEquals":5.0`:                                                  true,
		`"Variable":"$.n","NumericEquals":6`:                                                    false,
		`"Variable":"$.s","NumericEquals":5`:                                                    false,
		`"Variable":"$.n","NumericGreaterThan":4`:                                               true,
		`"Variable":"$.n","NumericGreaterThan":5`:                                               false,
		`"Variable":"$.b","BooleanEquals":true`:                                                 true,
		`"Variable":"$.b","BooleanEquals":false`:                                                false,
		`"Variable":"$.s","BooleanEquals":true`:                                                 false,
		`"Variable":"$.s.x","IsPresent":true`:                                                   false,
		`"Variable":"$.x","IsPresent":false`:                                                    true,
		`"Variable":"$.null","IsPresent":true`:                                                  true,
		`"Variable":"$.s","IsString":true`:                                                      true,
		`"Variable":"$.n","IsString":false`:                                                     true,
		`"Variable":"$.json","StringMatches":"{*\"errorMessage\":*}"`:                           true,
		`"Variable":"$.s","StringMatches":"{*\"errorMessage\":*}"`:                              false,
		`"Variable":"$.s","StringMatches":"t*x*t"`:                                              true,
		`"Variable":"$.s","StringMatches":"t*t*t"`:                                              false,
		`"Variable":"$.s","StringMatches":"text"`:                                               true,
		`"Variable":"$.n","StringMatches":"*"`:                                                  false,
		`"And":[{"Variable":"$.b","BooleanEquals":true},{"Variable":"$.n","NumericEquals":5}]`:  true,
		`"And":[{"Variable":"$.x","IsPresent":true},{"Variable":"$.x","StringEquals":"never"}]`: false,
	} {
		o := execute(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Default":"N","Choices":[{`+rule+`,"Next":"Y"}]},
			"Y":{"Type":"Pass","Parameters":{"is":true},"End":true},"N":{"Type":"Pass","Parameters":{"is":false},"End":true}}}`, input, nil)
		if got := map[bool]string{true: `{"is":true}`, false: `{"is":false}`}[want]; string(o.Output) != got {
			t.Errorf("%s: got %s %s", rule, o.Output, o.Cause)
		}
	}
	choice := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.x","StringEquals":"a","Next":"Y"}]},"Y":{"Type":"Succeed"}}}`
	wantFailure(t, execute(t, choice, `{"x":"b"}`, nil), "States.Runtime", "Failed to transition out of the state")
	wantFailure(t, execute(t, choice, `{}`, nil), "States.Runtime", "Invalid path '$.x'")
}

package batch

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDescribedFailure(t *testing.T) {
	t.Parallel()
	input := `"Input":"{\"query\":{\"assetIds\":[` + strings.Repeat(`\"asset_1\",`, 4000)
	for _, c := range []struct{ name, description, error, cause string }{
		{"whole", `{"Cause":"what to change","Error":"JobFailed","Input":"{}","Status":"FAILED"}`, "JobFailed", "what to change"},
		{"cut in its input", `{"Cause":"what to change","Error":"JobFailed",` + input, "JobFailed", "what to change"},
		{"objects within", `{"InputDetails":{"Included":true},"Error":"E","Cause":"c"}`, "E", "c"},
		{"aborted", `{"ExecutionArn":"arn","Status":"ABORTED"}`, "ABORTED", "ended so"},
		{"timed out", `{"Status":"TIMED_OUT"}`, "TIMED_OUT", "ended so"},
		{"no description", "Rate exceeded", "", ""},
		{"another object", `{"errorMessage":"x"}`, "", ""},
		{"nothing", "", "", ""},
		{"array", "[]", "", ""},
	} {
		name, cause, ok := describedFailure(c.description)
		if name != c.error || !strings.Contains(cause, c.cause) || ok != (c.error != "") {
			t.Errorf("%s: got %q, %q, %t", c.name, name, cause, ok)
		}
	}
}

func TestChild(t *testing.T) {
	t.Parallel()
	const input = `{"number":7,"key":"k","request":{}}`
	asText, _ := json.Marshal(input)
	for _, c := range []struct {
		name, child   string
		number        int
		finished      bool
		error, reason string
	}{
		{"succeeded", `{"Status":"SUCCEEDED","Input":` + string(asText) + `,"Output":"{\"output\":{\"key\":\"k\"}}"}`, 7, true, "", ""},
		{"values instead of text", `{"Status":"SUCCEEDED","Input":` + input + `,"Output":{"output":{"key":"k"}}}`, 7, true, "", ""},
		{"failed in its archive", `{"Status":"FAILED","Input":` + input + `,"Error":"States.TaskFailed","Cause":"{\"Cause\":\"c\",\"Error\":\"JobFailed\"}"}`, 7, false, "JobFailed", "c"},
		{"failed in a function of its archive", `{"Status":"FAILED","Input":` + input + `,"Error":"States.TaskFailed","Cause":` +
			`"{\"Cause\":\"{\\\"errorMessage\\\":\\\"what to change\\\"}\",\"Error\":\"BatchFailed\"}"}`, 7, false, "BatchFailed", "what to change"},
		{"failed by itself", `{"Status":"FAILED","Input":` + input + `,"Error":"E","Cause":"why"}`, 7, false, "E", "why"},
		{"aborted", `{"Status":"ABORTED","Input":` + input + `}`, 7, false, "ABORTED", "stopped while"},
		{"pending", `{"Input":` + input + `}`, 7, false, "NotStarted", "before"},
		{"without an output", `{"Status":"SUCCEEDED","Input":` + input + `}`, 7, false, "SUCCEEDED", ""},
		{"without an input", `{"Status":"FAILED","Error":"E"}`, 0, false, "E", ""},
		{"another input", `{"Status":"FAILED","Error":"E","Input":[1]}`, 0, false, "E", ""},
	} {
		var got child
		if err := json.Unmarshal([]byte(c.child), &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.number() != c.number || (got.output() != nil) != c.finished {
			t.Errorf("%s: number %d, output %v", c.name, got.number(), got.output())
		}
		if f := got.failure(); !c.finished && (f.Error != c.error || !strings.Contains(f.Cause, c.reason)) {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}

package statemachine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// lambda plays Lambda for executions within a bubble of testing/synctest, whose time passes at once. A call answers with
// a payload, or with an *asl.Error.
type lambda func(function string, event map[string]any) (payload any, err error)

// Run implements asl.TaskRunner.
func (l lambda) Run(_ context.Context, task asl.Task) (json.RawMessage, error) {
	var p struct {
		FunctionName string
		Payload      map[string]any
	}
	if err := json.Unmarshal(task.Parameters, &p); err != nil {
		return nil, err
	}
	if task.Resource == asl.StartExecutionResource {
		p.FunctionName = "execution"
	}
	payload, err := l(p.FunctionName, p.Payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"Payload": payload})
}

// RunMap implements asl.MapRunner: a Map Run is a call, too.
func (l lambda) RunMap(context.Context, asl.MapRun) (json.RawMessage, error) {
	payload, err := l("map", nil)
	if err != nil {
		return nil, err
	}
	return json.Marshal(payload)
}

// nothing is an S3 without objects, which the Map Run does not read.
type nothing struct{ asl.ObjectReader }

// path is the states that an execution enters.
type path []string

// Record implements asl.Recorder.
func (p *path) Record(e asl.Event, _ *asl.Checkpoint) error {
	if strings.HasSuffix(string(e.Type), "StateEntered") {
		*p = append(*p, e.Details.Name)
	}
	return nil
}

func parse(t *testing.T, file string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse(readDefinition(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// execute runs one execution to its end.
func execute(t *testing.T, m *asl.Machine, name string, l lambda) (asl.Result, path) {
	t.Helper()
	x := asl.Executor{Runners: asl.Runners{asl.LambdaInvokeResource: l, asl.StartExecutionResource: l}, MapRunner: l, Objects: nothing{}}
	info := asl.ExecutionInfo{
		ARN: "arn:aws:states:us-east-1:000000000000:execution:archive:" + name, Name: name, StartTime: time.Now(),
		Input: json.RawMessage(`{"query":{"assetIds":["asset_1"]}}`),
	}
	var entered path
	result, err := x.Run(t.Context(), m, info, nil, &entered)
	if err != nil {
		t.Error(err)
	}
	return result, entered
}

// failsWith is a function's error as Step Functions shows it.
func failsWith(name, message string) error {
	return &asl.Error{Name: name, Cause: fmt.Sprintf(`{"errorMessage":%q,"errorType":%q}`, message, name)}
}

func launchedNow() map[string]any {
	return map[string]any{
		"job": map[string]any{"jobId": "job_1"}, "launchedAt": time.Now(), "deadline": time.Now().Add(time.Hour), "waitSeconds": 1,
		"destination": map[string]any{"bucket": "b", "key": "k"},
	}
}

func polled(status, url, cause string) map[string]any {
	return map[string]any{"status": status, "scenarioStatus": status, "progress": 1, "waitSeconds": 1, "archiveUrl": url, "cause": cause}
}

func transferred(finished bool) map[string]any {
	return map[string]any{"finished": finished, "output": map[string]any{"key": "k"}}
}

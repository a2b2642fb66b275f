package statemachine_test

import (
	"context"
	"encoding/json"
	"fmt"
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
	payload, err := l(p.FunctionName, p.Payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"Payload": payload})
}

// events counts the events of a history.
type events int

// Record implements asl.Recorder.
func (n *events) Record(asl.Event, *asl.Checkpoint) error {
	*n++
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
func execute(t *testing.T, m *asl.Machine, name string, l lambda) (asl.Result, int) {
	t.Helper()
	x := asl.Executor{Runners: asl.Runners{asl.LambdaInvokeResource: l}}
	info := asl.ExecutionInfo{
		ARN: "arn:aws:states:us-east-1:000000000000:execution:archive:" + name, Name: name, StartTime: time.Now(),
		Input: json.RawMessage(`{"query":{"assetIds":["asset_1"]}}`),
	}
	var n events
	result, err := x.Run(t.Context(), m, info, nil, &n)
	if err != nil {
		t.Error(err)
	}
	return result, int(n)
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

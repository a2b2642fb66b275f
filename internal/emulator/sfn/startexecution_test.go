package sfn

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// startDefinition runs the machine with these parameters and waits for it.
func startDefinition(machine, parameters string) string {
	return `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","End":true,
		"Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:000000000000:stateMachine:` + machine + `"` + parameters + `}}}}`
}

func startConfig(dir, parent string, i Invoker) Config {
	c := testConfig(dir, i)
	c.Machines = append(c.Machines, MachineConfig{"parent", []byte(parent)},
		MachineConfig{"f", []byte(`{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"why"}}}`)})
	return c
}

func TestStartExecutionTask(t *testing.T) {
	t.Parallel()
	s := newService(t, startConfig(t.TempDir(), startDefinition("p", `,"Name":"child","Input.$":"$"`), invokerFunc(echoPayload)))
	e := wait(t, s, start(t, s, "parent", "e", `{"a":[1,"<&>"]}`).ARN)
	var out map[string]any
	if err := json.Unmarshal(e.Output, &out); err != nil {
		t.Fatalf("%v: %+v", err, e)
	}
	child, err := s.Describe("arn:aws:states:us-east-1:000000000000:execution:p:child")
	if err != nil || child.Status != asl.StatusSucceeded {
		t.Fatalf("got %+v, %v", child, err)
	}
	for name, want := range map[string]any{
		"ExecutionArn": child.ARN, "Name": "child", "StateMachineArn": child.StateMachineARN, "Status": "SUCCEEDED",
		"StartDate": float64(child.StartDate.UnixMilli()), "StopDate": float64(child.StopDate.UnixMilli()), "RedriveCount": 0.0,
	} {
		if out[name] != want {
			t.Errorf("%s: got %v, want %v", name, out[name], want)
		}
	}
	if !strings.Contains(string(e.Output), `"Output":{"a":[1,"<&>"]}`) || !strings.Contains(string(e.Output), `"Input":{"a":[1,"<&>"]}`) {
		t.Errorf("got %s", e.Output)
	}
	events, _, _ := s.History(e.ARN, false, 0, "")
	var types []string
	for _, event := range events {
		types = append(types, string(event.Type))
		if event.Type == "TaskSubmitted" && !strings.Contains(event.Details.Output, child.ARN) {
			t.Errorf("got %+v", event)
		}
	}
	if got := strings.Join(types, " "); got != "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskSucceeded TaskStateExited ExecutionSucceeded" {
		t.Errorf("got %s", got)
	}
	// The name is taken now, and it was another task that took it.
	e = wait(t, s, start(t, s, "parent", "again", `{"a":[1,"<&>"]}`).ARN)
	if e.Error != "StepFunctions.ExecutionAlreadyExistsException" {
		t.Errorf("got %+v", e)
	}
}

func TestStartExecutionTaskFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ machine, parameters, failure, cause string }{
		"its execution fails": {"f", ``, "States.TaskFailed", `{"Cause":"why","Error":"E","ExecutionArn":"arn:aws:states:us-east-1:000000000000:execution:f:`},
		"no such machine":     {"x", ``, "StepFunctions.StateMachineDoesNotExistException", "State Machine Does Not Exist"},
		"name":                {"p", `,"Name":"a b"`, "StepFunctions.InvalidNameException", "Invalid Name"},
		"name is no text":     {"p", `,"Name":1`, "States.Runtime", "must be strings"},
	} {
		s := newService(t, startConfig(t.TempDir(), startDefinition(c.machine, c.parameters), invokerFunc(echoPayload)))
		e := wait(t, s, start(t, s, "parent", "e", `{}`).ARN)
		if e.Error != c.failure || !strings.Contains(e.Cause, c.cause) {
			t.Errorf("%s: got %s, %s", name, e.Error, e.Cause)
		}
	}
}

// TestStopReachesStartedExecutions stops an execution that waits for another.
func TestStopReachesStartedExecutions(t *testing.T) {
	t.Parallel()
	submitted := make(chan struct{}, 1)
	c := startConfig(t.TempDir(), startDefinition("l", `,"Name":"child"`), invokerFunc(func(ctx context.Context, _ string, _ []byte) ([]byte, string, error) {
		submitted <- struct{}{}
		<-ctx.Done()
		return nil, "", ctx.Err()
	}))
	s := newService(t, c)
	e := start(t, s, "parent", "e", `{}`)
	<-submitted
	if _, err := s.Stop(e.ARN, "", ""); err != nil {
		t.Fatal(err)
	}
	child, err := s.Describe("arn:aws:states:us-east-1:000000000000:execution:l:child")
	if err != nil || child.Status != asl.StatusAborted {
		t.Errorf("got %+v, %v", child, err)
	}
}

// TestRestartWaitsForStartedExecutions ends a service while an execution waits for another: afterwards the same one is
// waited for, with a name or without, and also when it has ended in between.
func TestRestartWaitsForStartedExecutions(t *testing.T) {
	t.Parallel()
	for name, parameters := range map[string]string{"named": `,"Name":"child"`, "unnamed": ``} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			inFirst := make(chan struct{}, 1)
			var calls atomic.Int64
			s, err := New(startConfig(dir, startDefinition("l", parameters), invokerFunc(func(ctx context.Context, _ string, _ []byte) ([]byte, string, error) {
				inFirst <- struct{}{}
				<-ctx.Done()
				return nil, "", ctx.Err()
			})))
			if err != nil {
				t.Fatal(err)
			}
			arn := start(t, s, "parent", "e", `{}`).ARN
			<-inFirst
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = newService(t, startConfig(dir, startDefinition("l", parameters), invokerFunc(func(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
				calls.Add(1)
				return payload, "", nil
			})))
			e := wait(t, s, arn)
			children, _, err := s.List(s.MachineARN("l"), "", 0, "")
			if e.Status != asl.StatusSucceeded || err != nil || len(children) != 1 || calls.Load() != 2 {
				t.Errorf("got %+v, %d children, %d calls", e, len(children), calls.Load())
			}
			events, _, _ := s.History(arn, false, 0, "")
			n := map[asl.EventType]int{}
			for _, event := range events {
				n[event.Type]++
			}
			if n["TaskScheduled"] != 1 || n["TaskSubmitted"] != 1 || n["TaskFailed"] != 0 {
				t.Errorf("got %v", n)
			}
		})
	}
}

func TestMapRunsByTheSDK(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, client := serve(t, mapConfig(t.TempDir(), mapDefinition(`"ToleratedFailurePercentage":50,`), newMemory(map[string]string{"b/list.json": items(4)}), failing("2")))
	e := wait(t, s, start(t, s, "m", "e", `{}`).ARN)
	runs, err := client.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: &e.ARN})
	if err != nil || len(runs.MapRuns) != 1 || *runs.MapRuns[0].ExecutionArn != e.ARN {
		t.Fatalf("got %+v, %v", runs, err)
	}
	arn := runs.MapRuns[0].MapRunArn
	d, err := client.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: arn})
	if err != nil || d.Status != "SUCCEEDED" || d.ItemCounts.Succeeded != 3 || d.ExecutionCounts.Failed != 1 ||
		d.ExecutionCounts.Total != 4 || d.ToleratedFailurePercentage != 50 || d.MaxConcurrency != 10_000 || d.StopDate == nil {
		t.Errorf("got %+v, %v", d, err)
	}
	page, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: arn, MaxResults: 3})
	if err != nil || len(page.Executions) != 3 || page.NextToken == nil || *page.Executions[0].MapRunArn != *arn {
		t.Fatalf("got %+v, %v", page, err)
	}
	rest, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: arn, MaxResults: 3, NextToken: page.NextToken})
	if err != nil || len(rest.Executions) != 1 || rest.NextToken != nil {
		t.Errorf("got %+v, %v", rest, err)
	}
	child, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: rest.Executions[0].ExecutionArn})
	if err != nil || child.MapRunArn == nil || *child.MapRunArn != *arn {
		t.Errorf("got %+v, %v", child, err)
	}
	unknown := strings.Replace(*arn, "Work:", "Work:x", 1)
	_, err = client.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: &unknown})
	wantCode(t, err, "ResourceNotFound")
	_, err = client.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: &unknown})
	wantCode(t, err, "InvalidArn")
}

// Package statemachine_test executes the definitions as they are: every path through them, with the functions'
// answers scripted.
package statemachine_test

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// testCase is one way through a state machine.
type testCase struct {
	Name    string              `json:"name"`
	Input   json.RawMessage     `json:"input"`
	Answers map[string][]answer `json:"answers"` // of each function, call by call
	Status  string              `json:"status"`
	Error   string              `json:"error"`
	Cause   string              `json:"cause"` // a part of it
	Output  json.RawMessage     `json:"output"`
	Path    []string            `json:"path"` // the states entered
	// Slow marks a case whose retries take long where the time cannot be scaled.
	Slow bool `json:"slow"`
}

func readCases(t *testing.T, file string) []testCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%s: %d cases, %v", file, len(cases), err)
	}
	return cases
}

func TestArchive(t *testing.T) {
	t.Parallel()
	functions := newScript()
	engine := startMachine(t, functions, readDefinition(t, "archive.asl.json"))
	for i, c := range readCases(t, "testdata/archive_cases.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			functions.run(t, engine, executionName(i), c)
		})
	}
}

// run executes one case, and compares everything about it.
func (s *script) run(t *testing.T, engine engine, name string, c testCase) {
	t.Helper()
	s.Expect(name, c.Answers)
	ended := engine.execute(t, name, string(c.Input))
	c.compare(t, ended)
	for function, left := range s.Left(name) {
		t.Errorf("%s was not called for its last %d answers", function, left)
	}
	for _, complaint := range s.Complaints(name) {
		t.Error(complaint)
	}
}

func (c testCase) compare(t *testing.T, e ended) {
	t.Helper()
	if got := string(e.Status); got != c.Status {
		t.Errorf("status %s, want %s (error %s, cause %s)", got, c.Status, aws.ToString(e.Error), aws.ToString(e.Cause))
	}
	if got := aws.ToString(e.Error); got != c.Error {
		t.Errorf("error %q, want %q", got, c.Error)
	}
	if got := aws.ToString(e.Cause); !strings.Contains(got, c.Cause) || c.Error != "" && got == "" {
		t.Errorf("cause %q does not say %q", got, c.Cause)
	}
	if !sameJSON(aws.ToString(e.Output), string(c.Output)) {
		t.Errorf("output %s, want %s", aws.ToString(e.Output), c.Output)
	}
	if !slices.Equal(e.path, c.Path) {
		t.Errorf("states\n got %v\nwant %v", e.path, c.Path)
	}
}

func sameJSON(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// ended is an execution that has ended, and the states it entered.
type ended struct {
	*sfn.DescribeExecutionOutput
	path []string
}

func (e engine) execute(t *testing.T, name, input string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // for a hang; no case comes near
	defer cancel()
	started, err := e.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &e.machine, Name: &name, Input: &input,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.service.Wait(ctx, *started.ExecutionArn); err != nil {
		t.Fatal(err)
	}
	d, err := e.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
	if err != nil {
		t.Fatal(err)
	}
	return ended{d, e.path(ctx, t, *started.ExecutionArn)}
}

func (e engine) path(ctx context.Context, t *testing.T, arn string) []string {
	t.Helper()
	var states []string
	pages := sfn.NewGetExecutionHistoryPaginator(e.Client, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range page.Events {
			if event.StateEnteredEventDetails != nil {
				states = append(states, *event.StateEnteredEventDetails.Name)
			}
		}
	}
	return states
}

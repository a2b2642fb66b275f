package executions

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/sfntest"
)

const plan = `{"plan":{"assets":2500,"duplicates":3,"archives":3,"finished":1,"toDo":2,"manifest":{"bucket":"b","key":"a/manifest.json"}}`

func TestBatchProgress(t *testing.T) {
	t.Parallel()
	s := sfntest.Start(t)
	m, err := New(s.Client(), sfntest.BatchMachineARN)
	if err != nil {
		t.Fatal(err)
	}
	start(t, m, "x")
	look := func() BatchProgress {
		t.Helper()
		p, err := m.BatchProgress(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := look(); p != (BatchProgress{}) {
		t.Errorf("at the start: %+v", p)
	}
	s.Enter("x", "Task", "Plan", `{"list":{"key":"k"}}`)
	if p := look(); p.State != "Plan" || p.Plan != nil || p.Children != nil || s.Calls("ListMapRuns") != 0 {
		t.Errorf("while it is planned: %+v", p)
	}
	s.Exit("x", "Task", "Plan", plan+"}")
	s.Enter("x", "Map", "Archives", plan+"}")
	if p := look(); p.State != "Archives" || p.Plan.Assets != 2500 || p.Plan.Manifest.Key != "a/manifest.json" || p.Children != nil {
		t.Errorf("before the map: %+v", p)
	}
	s.MapRun("x", map[string]int{"pending": 1, "pendingRedrive": 2, "running": 3, "succeeded": 4, "failed": 5, "timedOut": 6, "aborted": 7})
	if p := look(); p.Children == nil || *p.Children != (Children{3, 3, 4, 18}) {
		t.Errorf("in the map: %+v", p.Children)
	}
	s.Break(func(operation string) *sfntest.Fault {
		if operation == "DescribeMapRun" {
			return &sfntest.Fault{Status: 400, Code: "ThrottlingException"}
		}
		return nil
	})
	if p, err := m.BatchProgress(t.Context(), "x"); !IsKind(err, KindThrottled) || p.Plan == nil || p.State != "Archives" {
		t.Errorf("without the map: %+v, %v", p, err)
	}
	s.Break(nil)
	s.Enter("x", "Task", "Manifest", plan+`,"mapError":{"Error":"States.ExceedToleratedFailureThreshold"}}`)
	if p := look(); p.State != "Manifest" || p.Plan.ToDo != 2 {
		t.Errorf("at the end: %+v", p)
	}
}

func TestMachinesAreApart(t *testing.T) {
	t.Parallel()
	archives, s := machine(t)
	batches, err := New(s.Client(), sfntest.BatchMachineARN)
	if err != nil {
		t.Fatal(err)
	}
	start(t, batches, "x")
	if _, err := archives.Describe(t.Context(), "x"); !IsKind(err, KindNotFound) {
		t.Errorf("got %v", err)
	}
	page, err := archives.List(t.Context(), types.ExecutionStatus(""), 10, "")
	if err != nil || len(page.Executions) != 0 {
		t.Errorf("got %+v, %v", page, err)
	}
}

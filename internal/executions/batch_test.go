package executions

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

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
	s.Rest(t, "x")
	if p := look(); p.State != "Plan" || p.Plan != nil || p.Children != nil || s.Calls("ListMapRuns") != 0 {
		t.Errorf("while it is planned: %+v", p)
	}
	s.Plan(t, "x", "one", "two")
	if p := look(); p.State != "Archives" || p.Plan.Assets != 2500 || p.Plan.Manifest.Key != "a/manifest.json" || *p.Children != (Children{Running: 2}) {
		t.Errorf("in the map: %+v, %+v", p, p.Children)
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
	s.Finish(t, "one", "SUCCEEDED", `{}`)
	s.Finish(t, "two", "FAILED", "JobFailed", "no")
	s.Called(t, "x", "manifest")
	if p := look(); p.State != "Manifest" || p.Plan.ToDo != 2 || *p.Children != (Children{Succeeded: 1, Failed: 1}) {
		t.Errorf("at the end: %+v, %+v", p, p.Children)
	}
}

func TestChildrenThatAreCountedTogether(t *testing.T) {
	t.Parallel()
	got := childrenOf(&types.MapRunExecutionCounts{
		Pending: 1, PendingRedrive: aws.Int64(2), Running: 3, Succeeded: 4, Failed: 5, TimedOut: 6, Aborted: 7,
	})
	if *got != (Children{3, 3, 4, 18}) || childrenOf(nil) != nil {
		t.Errorf("got %+v", got)
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
	page, err := archives.List(t.Context(), "", 10, "")
	if err != nil || len(page.Executions) != 0 {
		t.Errorf("got %+v, %v", page, err)
	}
}

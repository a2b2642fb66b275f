package rest

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

func TestStop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Transferring(t, id)
	f.objects.owners["k.zip"] = id
	a := f.do(t, "DELETE", "/archives/"+id, "")
	if a.status != 200 || a.body["status"] != "stopped" || a.body["error"] != "Stopped" || a.body["state"] != "Transfer" ||
		fmt.Sprint(a.body["cleanup"]) != "map[job:canceled object:removed upload:aborted]" || a.body["stoppedAt"] == nil {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	if want := "stopped through the API, request " + a.header.Get("X-Request-Id"); a.body["cause"] != want {
		t.Errorf("cause %v, want %s", a.body["cause"], want)
	}
	if got := fmt.Sprintf("%+v", f.canceled); got != "[{ID:job_1 Endpoint:download ProjectID:p}]" {
		t.Errorf("canceled %s", got)
	}
	if want := "[b/k.zip of " + sfnARN(id) + "]"; fmt.Sprint(f.aborted) != want {
		t.Errorf("aborted %v, want %s", f.aborted, want)
	}
	again := f.do(t, "DELETE", "/archives/"+id, "")
	if again.status != 200 || again.body["cause"] != a.body["cause"] || f.sfn.Calls("StopExecution") != 1 || len(f.aborted) != 2 {
		t.Errorf("again: got %d %s, %d stops, aborted %v", again.status, again.raw, f.sfn.Calls("StopExecution"), f.aborted)
	}
}

func sfnARN(id string) string { return "arn:aws:states:us-east-1:000000000000:execution:archive:" + id }

func TestStopBeforeTheLaunch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Called(t, id, "launch")
	a := f.do(t, "DELETE", "/archives/"+id, "")
	if a.status != 200 || fmt.Sprint(a.body["cleanup"]) != "map[job:none object:none upload:none]" || len(f.canceled)+len(f.aborted) != 0 {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}

func TestStopAfterTheEnd(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"SUCCEEDED", "FAILED", "TIMED_OUT"} {
		f := newFixture(t)
		id := f.archive(t)
		f.sfn.Finish(t, id, status, `{}`, "")
		f.do(t, "DELETE", "/archives/"+id, "").problem(t, 409, errAlreadyEnded, "nothing to stop")
		if f.sfn.Calls("StopExecution") != 0 {
			t.Error("stopped all the same")
		}
	}
}

// ending ends an execution by itself just before it is stopped.
type ending struct {
	*sfn.Client
	end func()
}

func (e ending) StopExecution(ctx context.Context, in *sfn.StopExecutionInput, o ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	e.end()
	return e.Client.StopExecution(ctx, in, o...)
}

func TestEndBetweenLookAndStop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	machine, err := executions.New(ending{f.sfn.Client(), func() { f.sfn.Finish(t, id, "SUCCEEDED", `{}`) }}, sfntest.MachineARN)
	if err != nil {
		t.Fatal(err)
	}
	f.Handler = New(Options{Starter: executions.Starter{Archives: machine, Batches: f.Handler.(*api).Batches}})
	f.do(t, "DELETE", "/archives/"+id, "").problem(t, 409, errAlreadyEnded, "succeeded")
}

// lagging shows an execution as it was before it was stopped.
type lagging struct{ *sfn.Client }

func (l lagging) DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, o ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	out, err := l.Client.DescribeExecution(ctx, in, o...)
	if err == nil {
		out.Status, out.StopDate, out.Error, out.Cause = types.ExecutionStatusRunning, nil, nil, nil
	}
	return out, err
}

func TestDescriptionThatLagsBehindTheStop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	machine, err := executions.New(lagging{f.sfn.Client()}, sfntest.MachineARN)
	if err != nil {
		t.Fatal(err)
	}
	f.Handler = New(Options{Starter: executions.Starter{Archives: machine, Batches: f.Handler.(*api).Batches}})
	a := f.do(t, "DELETE", "/archives/"+id, "")
	if a.status != 200 || a.body["status"] != "stopped" || a.body["stoppedAt"] == nil || a.body["error"] != "Stopped" {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}

func TestCleanupThatFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.fail, f.objects.fail = errPlayed, errPlayed
	id := f.archive(t)
	f.sfn.Transferring(t, id)
	a := f.do(t, "DELETE", "/archives/"+id, "")
	if a.status != 200 || fmt.Sprint(a.body["cleanup"]) != "map[job:not-canceled object:not-removed upload:not-aborted]" {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}

func TestStopWithoutScenario(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.CancelJob = nil })
	id := f.archive(t)
	f.sfn.Transferring(t, id)
	a := f.do(t, "DELETE", "/archives/"+id, "")
	if a.status != 200 || fmt.Sprint(a.body["cleanup"]) != "map[job:not-canceled object:none upload:aborted]" {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}

func TestStopThatFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Break(func(operation string) *sfntest.Fault {
		if operation == "StopExecution" {
			return &sfntest.Fault{Status: 500, Code: "InternalServerError"}
		}
		return nil
	})
	f.do(t, "DELETE", "/archives/"+id, "").problem(t, 503, errServiceUnavailable, "try again")
}

// Only the object of this very execution goes, and one that appears after the first look is seen.
func TestStopLeavesOtherObjects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Transferring(t, id)
	f.objects.owners["k.zip"] = "another"
	a := f.do(t, "DELETE", "/archives/"+id, "")
	if fmt.Sprint(a.body["cleanup"]) != "map[job:canceled object:none upload:aborted]" || f.objects.owners["k.zip"] != "another" {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	f.objects.owners["k.zip"] = id
	a = f.do(t, "DELETE", "/archives/"+id, "")
	if fmt.Sprint(a.body["cleanup"]) != "map[job:canceled object:removed upload:aborted]" || len(f.objects.owners) != 0 {
		t.Errorf("again: got %d %s", a.status, a.raw)
	}
}

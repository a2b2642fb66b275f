package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// functions plays the functions for the real state machine. A job named by "asset_wait" runs until go is closed.
type functions struct {
	mu       sync.Mutex
	launches int
	finish   chan struct{}
}

func (f *functions) invoke(_ context.Context, function string, payload []byte) (any, error) {
	var in struct {
		Request     archive.Request     `json:"request"`
		Job         archive.Job         `json:"job"`
		Destination archive.Destination `json:"destination"`
		Abort       bool                `json:"abort"`
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, err
	}
	switch {
	case function == "launch":
		f.mu.Lock()
		f.launches++
		f.mu.Unlock()
		now := time.Now()
		return archive.LaunchOutput{Job: archive.Job{ID: "job_" + in.Request.Query.AssetIDs[0]}, LaunchedAt: now, Deadline: now.Add(time.Hour),
			WaitSeconds: 1, Destination: archive.Destination{Bucket: "b", Key: "k.zip"}}, nil
	case function == "poll":
		return f.poll(in.Job.ID), nil
	case in.Abort:
		return archive.TransferOutput{Finished: true, Output: &archive.Output{}}, nil
	}
	return archive.TransferOutput{Finished: true, Output: &archive.Output{Bucket: in.Destination.Bucket, Key: in.Destination.Key, JobID: in.Job.ID}}, nil
}

func (f *functions) poll(job string) archive.PollOutput {
	out := archive.PollOutput{Status: archive.PollSuccess, ScenarioStatus: "success", Progress: 1, WaitSeconds: 1, ArchiveURL: signed}
	select {
	case <-f.finish:
	default:
		if strings.HasSuffix(job, "_wait") {
			return archive.PollOutput{Status: archive.PollRunning, ScenarioStatus: "warming-up", Progress: 0.25, WaitSeconds: 100}
		}
	}
	if strings.HasSuffix(job, "_fail") {
		return archive.PollOutput{Status: archive.PollFailure, ScenarioStatus: "failure", Cause: "Scenario gave no reason"}
	}
	return out
}

const signed = "https://cdn.example/a.zip?Signature=s3cret"

// engine is the API before the real state machine.
func engine(t *testing.T) (*fixture, *functions) {
	t.Helper()
	plays := &functions{finish: make(chan struct{})}
	client := sfntest.Start(t, sfntest.WithLambda(sfntest.Lambda(plays.invoke))).Client()
	machine, err := executions.New(client, sfntest.MachineARN)
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, func(o *Options) {
		o.Archives = machine
		o.CancelJob = func(context.Context, scenario.JobRef) error { return nil }
		o.AbortUpload = func(context.Context, archive.Destination, string) error { return nil }
	}), plays
}

// until asks for an archive again until what it shows holds.
func (f *fixture) until(t *testing.T, id string, holds func(map[string]any) bool) answer {
	t.Helper()
	for {
		a := f.do(t, "GET", "/archives/"+id, "")
		if strings.Contains(a.raw, "s3cret") {
			t.Fatalf("a signed URL is shown: %s", a.raw)
		}
		if a.status != 200 || holds(a.body) {
			return a
		}
		select {
		case <-t.Context().Done():
			t.Fatal("it never came")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func hasStatus(status string) func(map[string]any) bool {
	return func(v map[string]any) bool { return v["status"] == status }
}

func TestWithTheStateMachine(t *testing.T) {
	t.Parallel()
	f, plays := engine(t)
	begin := func(asset string, key ...string) string {
		a := f.do(t, "POST", "/archives", fmt.Sprintf(`{"query":{"assetIds":[%q]}}`, asset), key...)
		if a.status != 202 {
			t.Fatalf("%s: got %d %s", asset, a.status, a.raw)
		}
		return a.body["id"].(string)
	}
	waiting := begin("asset_wait", "Idempotency-Key", "k")
	a := f.until(t, waiting, func(v map[string]any) bool { j, _ := v["job"].(map[string]any); return j["progress"] != nil })
	if !strings.Contains(a.raw, `"job":{"id":"job_asset_wait","status":"warming-up","progress":0.25}`) || a.body["deadline"] == nil {
		t.Errorf("waiting: got %s", a.raw)
	}
	if begin("asset_wait", "Idempotency-Key", "k") != waiting {
		t.Error("a repeat is another archive")
	}
	stopped := begin("asset_wait")
	f.until(t, stopped, func(v map[string]any) bool { return v["job"] != nil })
	if a := f.do(t, "DELETE", "/archives/"+stopped, ""); a.status != 200 || a.body["status"] != "stopped" ||
		fmt.Sprint(a.body["cleanup"]) != "map[job:canceled object:none upload:aborted]" {
		t.Errorf("stopped: got %s", a.raw)
	}
	failed := begin("asset_fail")
	if a := f.until(t, failed, hasStatus("failed")); a.body["error"] != "JobFailed" || a.body["cause"] != "Scenario gave no reason" {
		t.Errorf("failed: got %s", a.raw)
	}
	close(plays.finish)
	a = f.until(t, waiting, hasStatus("succeeded"))
	if a.body["download"] == nil || a.body["output"].(map[string]any)["jobId"] != "job_asset_wait" {
		t.Errorf("succeeded: got %s", a.raw)
	}
	if begin("asset_wait", "Idempotency-Key", "k") != waiting {
		t.Error("a repeat after the end is another archive")
	}
	f.do(t, "POST", "/archives", good, "Idempotency-Key", "k").problem(t, 422, errIdempotencyReused, "")
	if ids, _ := f.list(t, "/archives?status=stopped"); fmt.Sprint(ids) != "["+stopped+"]" {
		t.Errorf("stopped: %v", ids)
	}
	if plays.launches != 3 {
		t.Errorf("%d launches", plays.launches)
	}
}

func TestConcurrentDuplicatesWithTheStateMachine(t *testing.T) {
	t.Parallel()
	f, plays := engine(t)
	server := newServer(t, f)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			post(t, server, fmt.Sprint("key-", i%100), fmt.Sprintf(`{"query":{"assetIds":["asset_%d"]}}`, i%100))
		})
	}
	all.Wait()
	ids := map[string]bool{}
	for next := "/archives?limit=30"; next != ""; {
		var page []string
		page, next = f.list(t, next)
		for _, id := range page {
			ids[id] = true
			f.until(t, id, hasStatus("succeeded"))
		}
	}
	if len(ids) != 100 || plays.launches != 100 {
		t.Errorf("%d archives, %d launches", len(ids), plays.launches)
	}
}

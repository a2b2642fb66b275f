package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// killer is a stand-in of Scenario that answers no launch: it calls kill in place of an answer, after the job was made
// or before anything was.
type killer struct {
	*scenariotest.Handler
	makesJobs bool
	kill      func(firstAsset string)
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		k.Handler.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body) // only then does the server notice that the connection ends
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	if k.makesJobs {
		k.Handler.ServeHTTP(answer, r)
	}
	project := r.URL.Query().Get("projectId") // says which execution it is
	k.kill(project)
	<-r.Context().Done() // until the function's connection is gone
	panic(http.ErrAbortHandler)
}

// killedLaunches runs executions of the definition as it is, with the launch function as a process of its own, which is
// killed when it has sent its launch. It returns how they ended, and the stand-in's jobs.
func killedLaunches(t *testing.T, count int, makesJobs bool) ([]asl.Result, *scenariotest.Handler) {
	t.Helper()
	definition, err := sfntest.Definition("archive.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := asl.Parse(definition)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]*lambdatest.Function{}
	k := &killer{Handler: scenariotest.NewHandler(scenariotest.Options{JobDuration: time.Hour}), makesJobs: makesJobs}
	k.kill = func(project string) { functions[project].Kill() }
	server := httptest.NewServer(k)
	t.Cleanup(func() { k.Close(); server.Close() })
	for i := range count {
		functions[fmt.Sprintf("p%d", i)] = lambdatest.Start(t, map[string]string{"SCENARIO_BASE_URL": server.URL + "/v1",
			"SCENARIO_API_KEY": scenariotest.DefaultKey, "SCENARIO_API_SECRET": scenariotest.DefaultSecret, "BUCKET": "bucket"})
	}
	results := make([]asl.Result, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { results[i] = runOnce(t, m, i, functions[fmt.Sprintf("p%d", i)]) })
	}
	all.Wait()
	return results, k.Handler
}

func runOnce(t *testing.T, m *asl.Machine, i int, launch *lambdatest.Function) asl.Result {
	call := func(_ context.Context, task asl.Task) (json.RawMessage, error) {
		var p struct {
			FunctionName string
			Payload      json.RawMessage
		}
		if err := json.Unmarshal(task.Parameters, &p); err != nil {
			return nil, err
		}
		switch p.FunctionName {
		case "launch":
			a := launch.Invoke(t, p.Payload)
			if a.Failed {
				return nil, &asl.Error{Name: a.ErrorType(), Cause: string(a.Body)}
			}
			return json.Marshal(map[string]json.RawMessage{"Payload": a.Body})
		case "poll":
			return json.RawMessage(`{"Payload":{"status":"success","scenarioStatus":"success","progress":1,"waitSeconds":1,` +
				`"archiveUrl":"https://archives.example/1","cause":""}}`), nil
		}
		var in archive.TransferInput
		if err := json.Unmarshal(p.Payload, &in); err != nil {
			return nil, err
		}
		return json.RawMessage(`{"Payload":{"finished":true,"output":{"jobId":"` + in.Job.ID + `"}}}`), nil
	}
	x := asl.Executor{Runners: asl.Runners{asl.LambdaInvokeResource: runner(call)}, Clock: asl.ScaledClock{Waits: 0.001}}
	// Every second asks for the same assets as the one before it, in a project of its own.
	input := fmt.Sprintf(`{"query":{"assetIds":["asset_%d","asset_x"]},"options":{"flat":true},"projectId":"p%d"}`, i/2, i)
	name := fmt.Sprintf("run-%d", i)
	result, err := x.Run(t.Context(), m, asl.ExecutionInfo{
		ARN: "arn:aws:states:us-east-1:000000000000:execution:archive:" + name, Name: name, StartTime: time.Now(),
		Input: json.RawMessage(input),
	}, nil, nobody{})
	if err != nil {
		t.Error(err)
	}
	return result
}

type runner func(context.Context, asl.Task) (json.RawMessage, error)

func (r runner) Run(ctx context.Context, task asl.Task) (json.RawMessage, error) { return r(ctx, task) }

// nobody keeps no history.
type nobody struct{}

func (nobody) Record(asl.Event, *asl.Checkpoint) error { return nil }

// Each launch's process is killed after Scenario has made the job: as many executions, as many jobs, each taken over by
// its own execution.
func TestALaunchThatDiesAfterSendingIsNotRepeated(t *testing.T) {
	t.Parallel()
	const count = 10
	results, api := killedLaunches(t, count, true)
	jobs := api.Jobs()
	if len(jobs) != count {
		t.Errorf("%d jobs for %d executions", len(jobs), count)
	}
	of := map[string]string{}
	for _, j := range jobs {
		of[j.ProjectID] = j.ID
	}
	for i, r := range results {
		want := fmt.Sprintf(`{"jobId":"%s"}`, of[fmt.Sprintf("p%d", i)])
		if r.Status != asl.StatusSucceeded || string(r.Output) != want {
			t.Errorf("execution %d ended %s %s: %s: %s; want %s", i, r.Status, r.Output, r.Error, r.Cause, want)
		}
	}
}

// Where Scenario made no job, nobody can know: the execution says so.
func TestALaunchThatDiesWithoutAJobIsUncertain(t *testing.T) {
	t.Parallel()
	results, api := killedLaunches(t, 2, false)
	if jobs := api.Jobs(); len(jobs) != 0 {
		t.Errorf("jobs %v", jobs)
	}
	for i, r := range results {
		if r.Status != asl.StatusFailed || r.Error != "LaunchUncertain" {
			t.Errorf("execution %d ended %s: %s: %s", i, r.Status, r.Error, r.Cause)
		}
	}
}

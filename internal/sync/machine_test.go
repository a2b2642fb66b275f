package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// deployment is the sync state machine as it is deployed, its functions, and a batch state machine of one function.
type deployment struct {
	*world
	server *sfntest.Server
	// one holds the world for one function: a batch of another execution runs beside the sync.
	one  sync.Mutex
	fail error // what the synced function fails with, once
	// batchFails is what every batch fails with, before it makes anything.
	batchFails error
}

const oneTask = `{"StartAt":"Batch","States":{"Batch":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
	"Parameters":{"FunctionName":"batch","Payload":{"input.$":"$$.Execution.Input","execution":{"id.$":"$$.Execution.Id","name.$":"$$.Execution.Name"}}},"End":true}}}`

func deploy(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{world: newWorld(t, 1)}
	definition, err := sfntest.Definition("sync.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	d.server = sfntest.Start(t, sfntest.WithLambda(sfntest.Lambda(d.invoke)), sfntest.WithMachines(
		emulator.MachineConfig{Name: "sync", Definition: definition}, emulator.MachineConfig{Name: "batch", Definition: []byte(oneTask)}))
	return d
}

func (d *deployment) invoke(ctx context.Context, function string, payload []byte) (any, error) {
	d.one.Lock()
	defer d.one.Unlock()
	engine := d.engine
	switch function {
	case "changes":
		var in ChangesInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		var err error
		if engine.Executions, err = ExecutionsOf(d.server.Client(), in.Execution); err != nil {
			return nil, err
		}
		return answerOf(engine.Changes(ctx, in))
	case "synced":
		var in SyncedInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		if d.fail != nil && !in.RecordFailure {
			return answerOf(Step{}, d.fail)
		}
		return answerOf(engine.Synced(ctx, in))
	case "batch":
		var in struct {
			Input     json.RawMessage
			Execution archive.Execution
		}
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		if d.batchFails != nil {
			return nil, d.batchFails
		}
		if failure := d.batch(&Batch{Name: in.Execution.Name, Input: in.Input}); failure != nil {
			return nil, &sfntest.FunctionError{Type: failure.Error, Message: failure.Cause}
		}
		return map[string]any{}, nil
	}
	return nil, fmt.Errorf("there is no function %s", function)
}

func answerOf(step Step, err error) (any, error) {
	if err != nil {
		return nil, &sfntest.FunctionError{Type: string(archive.NameOf(err)), Message: err.Error()}
	}
	return step, nil
}

// execute runs the state machine and gives the execution and the states that it entered.
func (d *deployment) execute(input string) (e emulator.Execution, path string) {
	d.t.Helper()
	executionsRun++
	name := fmt.Sprintf("run-%d", executionsRun)
	started, err := d.server.Service.Start(d.server.MachineARN("sync"), name, json.RawMessage(input))
	if err == nil {
		e, err = d.server.Wait(d.t.Context(), started.ARN)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	history, err := d.server.Client().GetExecutionHistory(d.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &started.ARN, MaxResults: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	var states []string
	for _, event := range history.Events {
		if entered := event.StateEnteredEventDetails; entered != nil {
			states = append(states, *entered.Name)
		}
	}
	return e, strings.Join(states, " ")
}

func TestStateMachine(t *testing.T) {
	d := deploy(t)
	d.define("heroes", heroes)
	for i := range 300 {
		d.put(hero(fmt.Sprintf("asset_%03d", i)))
	}
	d.absent["asset_000"] = 1
	d.engine.ChunkAssets = 200
	d.now = d.now.Add(time.Hour) // what changed just before is listed again
	e, path := d.execute(`{"name":"heroes"}`)
	want := "Changes Choose Batch Synced Choose Batch Synced Choose Changes Choose Batch Synced Choose Changes Choose Done"
	if e.Status != asl.StatusSucceeded || path != want {
		t.Fatalf("%s %s %s: %s", e.Status, e.Error, e.Cause, path)
	}
	d.check("heroes/", ofHeroes)
	var out Output
	if err := json.Unmarshal(e.Output, &out); err != nil || out.Status != Succeeded || out.Counts.Fetched != 300 {
		t.Errorf("the output is %s", e.Output)
	}
	d.now = d.now.Add(time.Hour)
	lists := d.lists
	e, path = d.execute(`{}`)
	if e.Status != asl.StatusSucceeded || path != "Changes Choose Done" || d.lists != lists+1 {
		t.Errorf("a tick that finds nothing: %s: %s, %d lists", e.Status, path, d.lists-lists)
	}
	d.put(hero("asset_new"))
	if e, _ := d.execute(`{}`); !strings.Contains(string(e.Output), `"started":1`) {
		t.Errorf("a tick that finds something: %s", e.Output)
	}
	arn := d.server.MachineARN("sync")
	list, err := d.server.Client().ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: &arn})
	if err != nil || len(list.Executions) != 4 {
		t.Fatalf("%d executions, %v", len(list.Executions), err)
	}
	for _, x := range list.Executions {
		if _, err := d.server.Wait(t.Context(), *x.ExecutionArn); err != nil {
			t.Fatal(err)
		}
	}
	d.check("heroes/", ofHeroes)
}

func TestStateMachineFails(t *testing.T) {
	d := deploy(t)
	d.define("heroes", heroes)
	d.put(hero("asset_a"))
	for _, c := range []struct {
		input, name, cause string
		fail               error
	}{
		{`{"name":"none"}`, "RequestInvalid", "there is no sync", nil},
		{`{"name":"heroes"}`, "DestinationRefused", "access denied", archive.NewError(archive.DestinationRefused, nil, "access denied")},
		{`{"name":"heroes"}`, "Internal", "oops", errors.New("oops")},
	} {
		if d.fail = c.fail; c.name == "Internal" {
			d.fail = archive.NewError(archive.Internal, c.fail, "oops")
		}
		e, path := d.execute(c.input)
		if e.Status != asl.StatusFailed || e.Error != c.name || !strings.Contains(e.Cause, c.cause) || !strings.HasSuffix(path, "ReadCause ParseCause NameCause RecordFailure Failed") {
			t.Errorf("%s %s: %s: %s", e.Status, e.Error, e.Cause, path)
		}
		if c.fail == nil {
			continue
		}
		if s := d.status("heroes"); s.Status != Failed || s.Error != c.name || !strings.Contains(s.Cause, c.cause) {
			t.Errorf("the status is %+v", s)
		}
	}
	d.fail = nil
	if e, path := d.execute(`{"name":"heroes"}`); e.Status != asl.StatusSucceeded {
		t.Errorf("%s %s %s: %s", e.Status, e.Error, e.Cause, path)
	}
	d.check("heroes/", ofHeroes)
}

// The name and the cause of a batch that failed as a whole are its own, not those of the step that ran it.
func TestStateMachineNamesTheBatchsError(t *testing.T) {
	d := deploy(t)
	d.define("heroes", heroes)
	d.put(hero("asset_a"))
	d.batchFails = &sfntest.FunctionError{Type: "DestinationRefused", Message: "access denied to the list"}
	e, path := d.execute(`{"name":"heroes"}`)
	s := d.status("heroes")
	if want := "failed: DestinationRefused: access denied to the list"; e.Error != "SyncFailed" || !strings.HasSuffix(e.Cause, want) ||
		s.Error != "SyncFailed" || s.Cause != e.Cause {
		t.Errorf("%s %s: %s: %s; the status is %+v", e.Status, e.Error, e.Cause, path, s)
	}
	d.batchFails = nil
	if e, path := d.execute(`{"name":"heroes"}`); e.Status != asl.StatusSucceeded {
		t.Errorf("%s %s %s: %s", e.Status, e.Error, e.Cause, path)
	}
	d.check("heroes/", ofHeroes)
}

// A batch that was started by an execution that is gone is waited for, not made again.
func TestStateMachineTakesUpABatch(t *testing.T) {
	d := deploy(t)
	d.define("heroes", heroes)
	d.put(hero("asset_a"))
	step, err := d.world.engine.Changes(t.Context(), ChangesInput{
		Request: json.RawMessage(`{"name":"heroes"}`), Execution: archive.Execution{ID: "arn:aws:states:us-east-1:000000000000:execution:sync:gone"},
	})
	if err != nil || step.Batch == nil {
		t.Fatalf("got %+v, %v", step, err)
	}
	input := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(step.Batch.Input)) // as Step Functions writes it
	if _, err := d.server.Service.Start(d.server.MachineARN("batch"), step.Batch.Name, []byte(input)); err != nil {
		t.Fatal(err)
	}
	if e, path := d.execute(`{"name":"heroes"}`); e.Status != asl.StatusSucceeded || len(d.batches) != 1 {
		t.Errorf("%s %s %s: %s, %d batches", e.Status, e.Error, e.Cause, path, len(d.batches))
	}
	d.check("heroes/", ofHeroes)
}

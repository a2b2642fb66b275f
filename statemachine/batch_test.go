package statemachine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// The way of a batch is executed in two halves, each with the other one scripted: the batch itself, with a function in
// the place of its map, and a child of the map, with a function in the place of the archive's execution.

type object = map[string]any

func TestBatch(t *testing.T) {
	t.Parallel()
	definition := batchDefinition(t)
	states := definition["States"].(object)
	archives := states["Archives"].(object)
	states["Archives"] = object{
		"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
		"Parameters": object{"FunctionName": "map", "Payload": object{"plan.$": "$.plan", "execution": executionOf}},
		"ResultPath": archives["ResultPath"], "Catch": archives["Catch"], "Next": archives["Next"],
	}
	runCases(t, "testdata/batch_cases.json", definition)
}

func TestBatchChild(t *testing.T) {
	t.Parallel()
	processor := batchDefinition(t)["States"].(object)["Archives"].(object)["ItemProcessor"].(object)
	delete(processor, "ProcessorConfig")
	start := processor["States"].(object)["Archive"].(object)
	start["Resource"] = "arn:aws:states:::lambda:invoke"
	start["Parameters"] = object{"FunctionName": "archive", "Payload": object{"start": start["Parameters"], "execution": executionOf}}
	start["ResultSelector"] = object{"output.$": "$.Payload.Output"}
	runCases(t, "testdata/batch_child_cases.json", processor)
}

// executionOf says to the script whose answers are asked for.
var executionOf = object{"id.$": "$$.Execution.Id", "name.$": "$$.Execution.Name", "startTime.$": "$$.Execution.StartTime"}

func batchDefinition(t *testing.T) (definition object) {
	t.Helper()
	if err := json.Unmarshal(readDefinition(t, "batch.asl.json"), &definition); err != nil {
		t.Fatal(err)
	}
	return definition
}

func runCases(t *testing.T, cases string, definition object) {
	t.Helper()
	text, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	functions := newScript()
	engine := startMachine(t, functions, text)
	for i, c := range readCases(t, cases) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			functions.run(t, engine, executionName(i), c)
		})
	}
}

// batchProblem says what a function of the batch would miss in an event; "" if nothing. ours is false for another
// function's event.
func batchProblem(function string, body []byte) (problem string, ours bool) {
	var err error
	switch function {
	case "plan":
		var in batch.PlanInput
		if err = strict(body, &in); err == nil && in.Execution.ID == "" {
			err = fmt.Errorf("names no execution")
		}
		if err == nil {
			_, err = batch.ParseInput(in.Request)
		}
	case "manifest":
		var in struct { // the map's result is there for those who look at the execution
			batch.ManifestInput
			State struct {
				batch.State
				MapRun json.RawMessage `json:"mapRun"`
			} `json:"state"`
		}
		if err = strict(body, &in); err == nil && (in.Execution.ID == "" || in.State.Plan.Work == "") {
			err = fmt.Errorf("names no execution or no plan")
		}
	case "archive":
		err = checkStart(body)
	case "map":
	default:
		return "", false
	}
	if err != nil {
		return err.Error(), true
	}
	return "", true
}

// checkStart makes sure that what a child starts is an archive's request for all of its assets.
func checkStart(body []byte) error {
	var in struct {
		Start struct {
			StateMachineArn, Name string
			Input                 json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	r, err := archive.ParseRequest(in.Start.Input)
	if err != nil {
		return err
	}
	if in.Start.StateMachineArn != sfntest.MachineARN || in.Start.Name != "heroes-0002-0123456789abcdef-01234567" {
		return fmt.Errorf("starts %q as %q", in.Start.StateMachineArn, in.Start.Name)
	}
	got, _ := json.Marshal(r)
	want := `{"query":{"assetIds":["asset_1","asset_2"]},"options":{"flat":true},"destination":{"key":"c/heroes-0002.zip",` +
		`"overwrite":true,"tags":{"k":"v"}},"unpack":{"keepArchive":false},"projectId":"p","timeoutSeconds":99}`
	if string(got) != want {
		return fmt.Errorf("asks for %s", got)
	}
	return nil
}

func strict(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

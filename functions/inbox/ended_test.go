package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func endOf(machine, name, status string) json.RawMessage {
	return marshal(map[string]any{"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": map[string]any{
		"executionArn": "arn:aws:states:us-east-1:000000000000:execution:" + machine + ":" + name, "name": name, "status": status,
		"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:" + machine}})
}

// dropped starts an execution by an object, and returns its name.
func (f *fixture) dropped(t *testing.T, key, content string) string {
	t.Helper()
	o := f.drop(key, content)
	if err := f.handle(t.Context(), eventBridge(o)); err != nil {
		t.Fatal(err)
	}
	return executionName(o)
}

func TestTheStatusNoteBecomesTrueAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status string
		detail []string
		want   string
	}{
		"success": {"SUCCEEDED", []string{`{"bucket":"b","key":"k.zip","size":9}`}, "succeeded<nil> <nil> map[bucket:b key:k.zip size:9]"},
		"failure": {"FAILED", []string{"JobFailed", "Scenario's job failed. Start again"}, "failedJobFailedScenario's job failed. Start again<nil>"},
		"stopped": {"ABORTED", []string{"Stopped", "by hand"}, "stoppedStoppedby hand<nil>"},
	} {
		f := newFixture(t)
		id := f.dropped(t, "requests/a.csv", "asset_1\nasset_2\n")
		f.sfn.Finish(t, id, c.status, c.detail...)
		for range 2 {
			if err := f.handle(t.Context(), endOf("archive", id, c.status)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		n := f.note(t, "requests/a.status.json")
		got := fmt.Sprint(n["status"], n["error"], n["cause"], n["output"])
		execution, _ := n["execution"].(map[string]any)
		if got != c.want || execution["stoppedAt"] == nil || execution["id"] != id || n["list"] == nil || n["request"] != "requests/a.csv" {
			t.Errorf("%s: got %q in %v", name, got, n)
		}
	}
}

// The event of the end may come before the start's note is written, or after the same name was used again.
func TestNotesInAnyOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.json", good)
	if err := f.handle(t.Context(), eventBridge(o)); err != nil {
		t.Fatal(err)
	}
	first := executionName(o)
	running := f.objects["requests/a.status.json"]
	f.sfn.Finish(t, first, "SUCCEEDED", `{"bucket":"b","key":"k.zip"}`)
	if err := f.handle(t.Context(), endOf("archive", first, "SUCCEEDED")); err != nil {
		t.Fatal(err)
	}
	e, err := f.starter.Archives.Describe(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	e.Status = "running" // as the start saw it
	if err := f.writeStatus(t.Context(), noteOn(o), e, nil); err != nil || f.note(t, "requests/a.status.json")["status"] != "succeeded" {
		t.Errorf("the start's note came last: %v, %v", err, f.note(t, "requests/a.status.json"))
	}
	f.objects["requests/a.status.json"] = running
	later := f.drop("requests/a.json", good+" ")
	later.sequencer, later.time = "00617F08299329D190", "2026-01-02T15:04:06Z"
	if err := f.handle(t.Context(), eventBridge(later)); err != nil {
		t.Fatal(err)
	}
	if err := f.handle(t.Context(), endOf("archive", first, "SUCCEEDED")); err != nil {
		t.Fatal(err)
	}
	note := f.note(t, "requests/a.status.json")
	if note["status"] != "running" || note["execution"].(map[string]any)["id"] != executionName(later) {
		t.Errorf("the first one's end replaced the second one's note: %v", note)
	}
}

func TestNotesAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.json", good)
	e, err := f.starter.Archives.Start(t.Context(), executionName(o), `{}`)
	if err != nil {
		t.Fatal(err)
	}
	ended := e
	ended.Status, ended.Output = "succeeded", json.RawMessage(`{"key":"k"}`)
	var both sync.WaitGroup
	for range 3 {
		both.Go(func() {
			if err := f.writeStatus(t.Context(), noteOn(o), ended, nil); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			if err := f.writeStatus(t.Context(), noteOn(o), e, nil); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if note := f.note(t, "requests/a.status.json"); note["status"] != "succeeded" {
		t.Errorf("got %v", note)
	}
}

// Executions that came by other ways, of other machines, and events that are none.
func TestEndsOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"by-hand", "../odd", "é"} {
		if _, err := f.starter.Archives.Start(t.Context(), name, `{}`); err != nil && name == "by-hand" {
			t.Fatal(err)
		}
	}
	f.sfn.Finish(t, "by-hand", "SUCCEEDED", `{}`)
	before := len(f.objects)
	for _, event := range []json.RawMessage{endOf("archive", "by-hand", "SUCCEEDED"), endOf("other", "by-hand", "SUCCEEDED"), endOf("archive", "unknown", "FAILED"),
		endOf("batch", "unknown", "FAILED"), endOf("archive", "x", "RUNNING"), json.RawMessage(`{"source":"aws.states","detail-type":"x"}`)} {
		if err := f.handle(t.Context(), event); err != nil || len(f.objects) != before {
			t.Errorf("%s: %v", event, err)
		}
	}
	if _, err := f.starter.Archives.Start(t.Context(), "still-running", `{}`); err != nil {
		t.Fatal(err)
	}
	if err := f.handle(t.Context(), endOf("archive", "still-running", "SUCCEEDED")); err == nil {
		t.Error("a description that lags behind was taken for the end")
	}
}

// When anybody stops an execution, its upload and its object are removed, and no other's.
func TestStoppedInTheConsole(t *testing.T) {
	t.Parallel()
	for owner, left := range map[string]bool{"x": false, "another": true} {
		f := newFixture(t)
		if _, err := f.starter.Archives.Start(t.Context(), "x", `{"query":{"assetIds":["asset_1"]},"options":{},"destination":{}}`); err != nil {
			t.Fatal(err)
		}
		f.sfn.Transferring(t, "x")
		f.sfn.Finish(t, "x", "ABORTED", "", "")
		f.drop("k.zip", "content")
		o := f.objects["k.zip"]
		o.metadata = map[string]string{"scenario-execution": owner}
		f.objects["k.zip"] = o
		if err := f.handle(t.Context(), endOf("archive", "x", "ABORTED")); err != nil {
			t.Fatal(err)
		}
		if _, there := f.objects["k.zip"]; there != left || len(f.aborted) != 1 || !strings.HasPrefix(f.aborted[0], "k.zip of arn:") {
			t.Errorf("of %s: there %v, aborted %v", owner, there, f.aborted)
		}
	}
}

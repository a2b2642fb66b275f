package statemachine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// call is a call of a function, a Map Run, or an execution of another machine, and what it answers: an error, or a result.
type call struct {
	of     string
	answer any
}

// play answers each call as it is written down, the last of them for ever. A call of something else is a fault of the test.
func play(t *testing.T, calls []call) lambda {
	n := 0
	return func(function string, event map[string]any) (any, error) {
		if event["recordFailure"] == true {
			function = "record"
		}
		if n < len(calls)-1 && calls[n].of != function {
			n++
		}
		c := calls[n]
		if c.of != function {
			t.Errorf("%s was called, not %s", function, c.of)
		}
		err, failed := c.answer.(error)
		if failed {
			return nil, err
		}
		if n < len(calls)-1 {
			n++
		}
		return c.answer, nil
	}
}

// childFails is the error of an execution of another machine.
var childFails = &asl.Error{Name: "States.TaskFailed", Cause: `{"Cause":"before: the child","Error":"BatchFailed","Status":"FAILED"}`}

// walkTo executes every way with every end of its last call, followed by each of the calls after it, and looks at the name
// and the cause.
func walkTo(t *testing.T, file string, ways map[string][]call, after ...[]call) {
	t.Helper()
	m, w := parse(t, file), newWalk(t, file)
	for name, calls := range ways {
		for _, e := range ends {
			for i, rest := range after {
				way := slices.Clone(calls)
				way[len(way)-1].answer = e.err
				way = append(way, rest...)
				t.Run(fmt.Sprintf("%s, %v, %d", name, e.err, i), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						r, entered := execute(t, m, "run", play(t, way))
						w.add(entered, r)
						if r.Status != asl.StatusFailed || r.Error != e.ended || !strings.Contains(r.Cause, "the last words") ||
							strings.Contains(r.Cause, "before") {
							t.Errorf("ended %s after %v: %s: %s; want %s", r.Status, entered, r.Error, r.Cause, e.ended)
						}
					})
				})
			}
		}
	}
}

// A batch ends with the name and the cause of what went wrong last.
func TestTheLastErrorOfABatchIsItsCause(t *testing.T) {
	t.Parallel()
	plan := call{"plan", batch.Plan{ToDo: 1, MaxConcurrency: 1, Items: batch.Object{Bucket: "b", Key: "k"},
		Results: batch.Place{Bucket: "b", Prefix: "p"}}}
	finished := call{"plan", batch.Plan{}}
	mapped := call{"map", map[string]any{}}
	again := call{"manifest", batch.ManifestOutput{Again: true}}
	walkTo(t, "batch.asl.json", map[string][]call{
		"the plan":                        {{of: "plan"}},
		"the manifest":                    {plan, mapped, {of: "manifest"}},
		"the manifest of a finished plan": {finished, {of: "manifest"}},
		"the manifest after a failed map": {plan, {"map", childFails}, {of: "manifest"}},
		"the second plan":                 {plan, mapped, again, {of: "plan"}},
		"the second manifest":             {plan, mapped, again, plan, {"map", childFails}, {of: "manifest"}},
	}, nil)
}

// A sync ends with the name and the cause of what went wrong last, and that is what its status is to say, whether or not
// it can be written.
func TestTheLastErrorOfASyncIsItsCause(t *testing.T) {
	t.Parallel()
	next := func(function, to string) call {
		return call{function, map[string]any{"next": to, "batch": map[string]any{"name": "n", "input": map[string]any{}}}}
	}
	done := call{"execution", map[string]any{}}
	failed := call{"execution", childFails}
	ways := map[string][]call{
		"the first look":                      {{of: "changes"}},
		"a later look":                        {next("changes", "changes"), {of: "changes"}},
		"what a batch brought":                {next("changes", "batch"), done, {of: "synced"}},
		"what a failed batch brought":         {next("changes", "batch"), failed, {of: "synced"}},
		"the look after a batch":              {next("changes", "batch"), done, next("synced", "changes"), {of: "changes"}},
		"the look after a failed batch":       {next("changes", "batch"), failed, next("synced", "changes"), {of: "changes"}},
		"what the second failed batch left":   {next("changes", "batch"), failed, next("synced", "batch"), failed, {of: "synced"}},
		"what a batch after a failed one did": {next("changes", "batch"), failed, next("synced", "batch"), done, {of: "synced"}},
	}
	walkTo(t, "sync.asl.json", ways, []call{{"record", map[string]any{}}}, []call{{"record", failsWith("DestinationRefused", "before: the record")}})
}

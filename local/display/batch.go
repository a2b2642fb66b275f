package display

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// batch is the progress of a batch as a whole.
type batch struct {
	started  time.Time // when its first archive started
	archives int       // 0: not planned yet
	before   int       // archives that an earlier run had finished
	done     int
	failed   int
	bytes    int64            // of the archives that are done
	moving   map[string]int64 // of those being transferred, by their executions' names; each counts with its size when it is done
}

func newBatch() *batch { return &batch{moving: map[string]int64{}} }

// plan takes an event of the batch's own execution: its plan says how many archives there are.
func (b *batch) plan(e asl.Event) {
	if e.Type != "TaskStateExited" || e.Details.Name != "Plan" {
		return
	}
	var o struct {
		Plan struct{ Archives, Finished int } `json:"plan"`
	}
	_ = json.Unmarshal([]byte(e.Details.Output), &o) // an output of another shape has no counts
	b.archives, b.before, b.started = o.Plan.Archives, o.Plan.Finished, e.Time
	b.done, b.failed = b.before, 0
}

// child takes an event of one of the map's children, and says whether an archive has ended with it.
func (b *batch) child(e asl.Event) bool {
	switch e.Type {
	case "ExecutionSucceeded":
		var o struct {
			Output archive.Output `json:"output"`
		}
		_ = json.Unmarshal([]byte(e.Details.Output), &o)
		b.done++
		b.bytes += o.Output.Size
	case "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted":
		b.failed++
	default:
		return false
	}
	return true
}

// text is the batch in a line.
func (b *batch) text(now time.Time) string {
	if b.archives == 0 && b.done+b.failed == 0 {
		return "reading the list"
	}
	bytes := b.bytes
	for _, n := range b.moving {
		bytes += n
	}
	archives := fmt.Sprintf("%d of %d archives", b.done, b.archives)
	if b.archives == 0 { // it was resumed after a restart, and the event of its plan came before
		archives = fmt.Sprintf("%d archives since the start", b.done)
	}
	parts := []string{archives, Bytes(bytes)}
	if b.failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", b.failed))
	}
	if left, ok := b.left(now); ok {
		parts = append(parts, "about "+Duration(left)+" left")
	}
	return strings.Join(parts, ", ")
}

// left is how long the rest takes at the rate so far.
func (b *batch) left(now time.Time) (time.Duration, bool) {
	ended := b.done - b.before + b.failed
	rest := b.archives - b.done - b.failed
	if ended == 0 || rest <= 0 {
		return 0, false
	}
	return now.Sub(b.started) / time.Duration(ended) * time.Duration(rest), true
}

// isChild says whether an execution is one of a map's children: their machine's name has a slash.
func isChild(executionARN string) bool { return strings.Contains(executionARN, "/") }

// startedByChild says whether an execution was started for an archive of a batch.
func startedByChild(e asl.Event) bool {
	var in struct {
		By string `json:"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"`
	}
	_ = json.Unmarshal([]byte(e.Details.Input), &in)
	return isChild(in.By)
}

// hasEnded says whether e is the last event of an execution.
func hasEnded(e asl.Event) bool {
	return strings.HasPrefix(string(e.Type), "Execution") && e.Type != "ExecutionStarted"
}

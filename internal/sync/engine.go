package sync

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// Scenario is what a sync asks of the API; *scenario.Client has it.
type Scenario interface {
	Assets(ctx context.Context, f scenario.AssetFilter) iter.Seq2[scenario.Asset, error]
	AssetsByID(ctx context.Context, projectID string, ids ...string) ([]scenario.Asset, error)
}

// Executions are those of the sync state machine.
type Executions interface {
	// Running says whether the execution of that ARN runs; one that does not exist does not.
	Running(ctx context.Context, arn string) (bool, error)
	// Start starts an execution, unless one of that name was started before.
	Start(ctx context.Context, name string, input []byte) error
}

// Engine does the steps of syncs. All but ChunkAssets and Now are required.
type Engine struct {
	Bucket     bucket.Bucket
	Scenario   Scenario
	Executions Executions
	// ChunkAssets is how many assets are fetched together. Default: 10,000.
	ChunkAssets int
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

const (
	defaultChunkAssets = 10_000
	// overlap is how late a list may show a change: what changed less than this before a list began is listed again.
	overlap = 10 * time.Minute
	// slack is how far the order of a list may be wrong.
	slack = time.Second
	// reserve is the time that a step keeps, before its deadline, for writing down where it is.
	reserve = 45 * time.Second
)

func (e Engine) now() time.Time {
	if e.Now == nil {
		return time.Now().UTC().Truncate(time.Millisecond)
	}
	return e.Now().UTC().Truncate(time.Millisecond)
}

func (e Engine) chunkAssets() int {
	if e.ChunkAssets == 0 {
		return defaultChunkAssets
	}
	return e.ChunkAssets
}

// Input is an execution's input. Without a name it means all syncs.
type Input struct {
	Name string `json:"name"`
	// Full lists everything again, repairs what is missing, and writes <prefix>gone.jsonl.
	Full bool `json:"full"`
}

// ChangesInput is what the changes function gets.
type ChangesInput struct {
	Request   json.RawMessage   `json:"request"` // the execution's input
	Execution archive.Execution `json:"execution"`
	// State is what the state machine carries: the input at first, and then the step before.
	State State `json:"state"`
}

// State is what the state machine carries from step to step.
type State struct {
	Step Step `json:"step"`
	// Error is why the batch, or another step, failed.
	Error *Failure `json:"error"`
}

// Failure is an error as Step Functions has it.
type Failure struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// For names whom the step is for.
func (in ChangesInput) For() (archive.Execution, string) { return in.Execution, "" }

// What comes after a step.
const (
	NextDone    = "done"    // nothing: the execution ends with Output
	NextChanges = "changes" // the changes function again
	NextBatch   = "batch"   // the batch, and then the synced function
)

// Step is what both functions answer.
type Step struct {
	Next string `json:"next"`
	// Batch is what is to be fetched, of NextBatch.
	Batch *Batch `json:"batch,omitempty"`
	// After goes on with a run of all syncs.
	After string `json:"after"`
	// Output is the execution's output, of NextDone.
	Output *Output `json:"output,omitempty"`
}

// Batch is one execution of the batch state machine.
type Batch struct {
	Name   string          `json:"name"` // of the execution: the same for the same chunk and pass
	Input  json.RawMessage `json:"input"`
	Sync   string          `json:"sync"`
	Run    string          `json:"run"`
	Number int             `json:"number"` // of the chunk
	Pass   int             `json:"pass"`
}

// Output is what an execution ends with.
type Output struct {
	Name string `json:"name,omitempty"`
	// Status is Succeeded; "busy" when another execution works on the sync; "started" of a run of all.
	Status    string  `json:"status"`
	Execution string  `json:"execution,omitempty"` // the other one, when busy
	Counts    *Counts `json:"counts,omitempty"`
	// Of a run of all: how many syncs had nothing to do, were started, are at work, or have a definition that is wrong.
	Quiet   int `json:"quiet,omitempty"`
	Started int `json:"started,omitempty"`
	Busy    int `json:"busy,omitempty"`
	Refused int `json:"refused,omitempty"`
	// OldestSuccess is how long ago, in seconds, the sync that waits longest finished.
	OldestSuccess int `json:"oldestSuccessSeconds,omitempty"`
}

var inputFields = []string{"name", "full", "Comment", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"}

func parseInput(raw []byte) (Input, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Input{}, invalid(`the input is not a JSON object such as {"name": "heroes"}`)
	}
	for _, name := range inputFields {
		delete(fields, name)
	}
	for name := range fields {
		return Input{}, invalid("the input has the field %q, which does not exist; it may have name and full", name)
	}
	var in Input
	if err := json.Unmarshal(raw, &in); err != nil {
		return Input{}, invalid("the input is not as it should be: %v", err)
	}
	return in, nil
}

// nearDeadline says whether a step should write down where it is.
func nearDeadline(ctx context.Context) bool {
	at, ok := ctx.Deadline()
	return ok && time.Until(at) < reserve
}

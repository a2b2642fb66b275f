package sync

import (
	"context"
	"encoding/json"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// How a sync stands.
const (
	Running   = "running"
	Succeeded = "succeeded"
	Failed    = "failed"
)

// Status is what syncs/<name>.status.json says. It also is the sync's lease: only the execution that it names works on the
// sync while the status is Running, and it is only written on condition that it is what was read.
type Status struct {
	Name   string `json:"name"`
	Status string `json:"status"` // Running, Succeeded or Failed
	// Execution is the ARN of the execution that wrote this.
	Execution string    `json:"execution"`
	Full      bool      `json:"full"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// SucceededAt is when a run last finished.
	SucceededAt time.Time `json:"succeededAt,omitzero"`
	Counts      Counts    `json:"counts"`
	// Cursor is up to when all changes at Scenario are in the bucket, or named as failed.
	Cursor time.Time `json:"cursor,omitzero"`
	// Failed names the assets that are missing, at most 100 of them; syncs/<name>/failed.json names all.
	Failed []Note `json:"failed"`
	// Error and Cause say why the last run failed.
	Error string `json:"error,omitempty"`
	Cause string `json:"cause,omitempty"`
	// Run is where a run is.
	Run *Run `json:"run,omitempty"`
}

// Counts are of one run, but for Failed and Pending, which say what is missing now.
type Counts struct {
	Listed    int   `json:"listed"`    // assets that lists showed
	Fetched   int   `json:"fetched"`   // files
	Bytes     int64 `json:"bytes"`     // of the fetched files
	Rewritten int   `json:"rewritten"` // records whose file stayed
	Failed    int   `json:"failed"`
	Pending   int   `json:"pending"`        // not finished at Scenario
	Gone      int   `json:"gone,omitempty"` // of a full run: in the bucket, no longer at Scenario
}

// Run is how far a run is.
type Run struct {
	ID string `json:"id"`
	// ListedAt is when the run began to list.
	ListedAt time.Time `json:"listedAt"`
	// Position is the change up to which the list was read; Latest the last change that it showed.
	Position time.Time `json:"position,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
	// Retried says that the assets that had failed before were looked at, Listed that the list was read to its end.
	Retried bool `json:"retried"`
	Listed  bool `json:"listed"`
	// Digests is how many files of IDs a full run has written.
	Digests int `json:"digests,omitempty"`
	Chunks  int `json:"chunks"` // started
	// Chunk is what is being fetched.
	Chunk *Chunk `json:"chunk,omitempty"`
}

// Chunk is a number of assets that are fetched together. It names all that it takes to record them, so that another
// execution can go on with it.
type Chunk struct {
	Run    string `json:"run"`    // that planned it
	Number int    `json:"number"` // in that run
	Pass   int    `json:"pass"`   // from 1
	Assets int    `json:"assets"` // in this pass
	Work   string `json:"work"`   // the prefix of the run's files
	// Assets and Records are where files and records go.
	AssetPrefix  string            `json:"assetPrefix"`
	RecordPrefix string            `json:"recordPrefix"`
	Incoming     string            `json:"incoming"` // where archives go, and their files at first
	Metadata     bool              `json:"metadata"`
	Tags         map[string]string `json:"tags,omitempty"`
	ProjectID    string            `json:"projectId,omitempty"`
	Original     bool              `json:"preferOriginal,omitempty"`
}

// lease is a status that was read, and what is known of its object.
type lease struct {
	Status
	etag string // "" if there is none yet
}

func (e Engine) readStatus(ctx context.Context, name string) (lease, error) {
	l := lease{Status: Status{Name: name}}
	o, err := e.read(ctx, StatusKey(name))
	if err != nil || o == nil {
		return l, err
	}
	l.etag = o.ETag
	if err := json.Unmarshal(o.body, &l.Status); err != nil { // somebody wrote into it; all it holds can be found again
		l.Status = Status{Name: name}
	}
	l.Name = name
	return l, nil
}

// write writes the status, if it still is the one that was read.
func (e Engine) write(ctx context.Context, l *lease) error {
	text, err := json.MarshalIndent(l.Status, "", "  ")
	if err != nil {
		return err
	}
	etag, err := e.replace(ctx, StatusKey(l.Name), append(text, '\n'), bucket.PutOptions{
		IfETag: l.etag, IfMissing: l.etag == "",
	})
	if changed(err) {
		return archive.NewError(archive.SyncBusy, err, "another execution has taken over the sync %q", l.Name)
	}
	if err == nil {
		l.etag = etag
	}
	return err
}

// holder is the execution that works on the sync; "" if none does. One that was stopped or killed holds nothing: Step
// Functions is asked whether it runs.
func (e Engine) holder(ctx context.Context, l lease, me string) (string, error) {
	if l.Status.Status != Running || l.Execution == "" || l.Execution == me {
		return "", nil
	}
	running, err := e.Executions.Running(ctx, l.Execution)
	if err != nil || !running {
		return "", err
	}
	return l.Execution, nil
}

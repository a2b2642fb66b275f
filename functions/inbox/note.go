package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// The notes are what a person finds beside a request: requests/heroes.json gets requests/heroes.status.json or
// requests/heroes.error.json. They are the same however often an event is delivered.
type note struct {
	Request   string `json:"request"` // the key of the request that the note is about
	VersionID string `json:"versionId,omitempty"`
	DroppedAt string `json:"droppedAt,omitempty"`
}

type errorNote struct {
	note
	Error string `json:"error"`
	Cause string `json:"cause"` // says what to change
}

type statusNote struct {
	note
	Status    string        `json:"status"`
	Execution executionNote `json:"execution"`
	List      *listNote     `json:"list,omitempty"` // of a list for one archive
}

// listNote says what was read of a list, so that whoever dropped it sees whether that is all of it.
type listNote struct {
	Lines      int `json:"lines"`    // a header counted
	AssetIDs   int `json:"assetIds"` // each once
	Duplicates int `json:"duplicates"`
}

type executionNote struct {
	ID        string    `json:"id"`
	ARN       string    `json:"arn"`
	StartedAt time.Time `json:"startedAt"`
}

// statuses are the words that the API has for them, too.
var statuses = map[types.ExecutionStatus]string{
	types.ExecutionStatusSucceeded: "succeeded",
	types.ExecutionStatusFailed:    "failed",
	types.ExecutionStatusTimedOut:  "timed-out",
	types.ExecutionStatusAborted:   "stopped",
}

func noteOn(o object) note { return note{Request: o.key, VersionID: o.version, DroppedAt: o.time} }

func (in *inbox) tellError(ctx context.Context, o object, err error) error {
	key, _ := in.place(ctx, o, errorSuffix)
	return in.writeNote(ctx, key, errorNote{noteOn(o), nameOf(err), err.Error()})
}

// tellStatus also takes away the error that an earlier object of this name has left.
func (in *inbox) tellStatus(ctx context.Context, o object, e executions.Execution, list *listNote) error {
	status, ended := statuses[e.Status]
	if !ended {
		status = "running"
	}
	key, _ := in.place(ctx, o, statusSuffix)
	err := in.writeNote(ctx, key, statusNote{noteOn(o), status, executionNote{e.Name, e.ARN, e.StartedAt.UTC()}, list})
	if err != nil {
		return err
	}
	if key, ours := in.place(ctx, o, errorSuffix); ours {
		return in.bucket.Delete(ctx, key, "")
	}
	return nil
}

// place finds the key for a note. Two requests that differ by their ends alone (heroes.json, heroes.csv) would share
// it: the second one gets its whole name, requests/heroes.csv.error.json. ours says that a note of this request is there
// already.
func (in *inbox) place(ctx context.Context, o object, suffix string) (key string, ours bool) {
	key = beside(stem(o.key), suffix)
	switch in.readNote(ctx, key) {
	case o.key:
		return key, true
	case "":
		return key, false
	}
	key = beside(o.key, suffix)
	return key, in.readNote(ctx, key) == o.key
}

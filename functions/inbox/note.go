package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
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
	Status    executions.Status `json:"status"`
	Execution executionNote     `json:"execution"`
	List      *listNote         `json:"list,omitempty"`   // of a list for one archive
	Output    json.RawMessage   `json:"output,omitempty"` // when it succeeded: the archive's, or the batch's
	Error     string            `json:"error,omitempty"`  // when it did not
	Cause     string            `json:"cause,omitempty"`  // says what to do
}

type executionNote struct {
	ID        string     `json:"id"`
	ARN       string     `json:"arn"`
	StartedAt time.Time  `json:"startedAt"`
	StoppedAt *time.Time `json:"stoppedAt,omitempty"`
}

// listNote says what was read of a list, so that the person who dropped it sees whether that is all of it.
type listNote struct {
	Lines      int `json:"lines"`    // a header counted
	AssetIDs   int `json:"assetIds"` // each once
	Duplicates int `json:"duplicates"`
}

// maxNote is the size of a note in bytes.
const maxNote = 64 << 10

// maxNoteText keeps an output or a cause within it.
const maxNoteText = 16 << 10

func noteOn(o object) note { return note{Request: o.key, VersionID: o.version, DroppedAt: o.time} }

func statusOf(n note, e executions.Execution, list *listNote) statusNote {
	s := statusNote{
		note: n, Status: e.Status, Execution: executionNote{ID: e.Name, ARN: e.ARN, StartedAt: e.StartedAt.UTC()}, List: list,
		Error: e.Error, Cause: strings.ToValidUTF8(e.Cause[:min(len(e.Cause), maxNoteText)], ""),
	}
	if !e.StoppedAt.IsZero() {
		s.Execution.StoppedAt = new(e.StoppedAt.UTC())
	}
	if len(e.Output) < maxNoteText && json.Valid(e.Output) {
		s.Output = e.Output
	}
	return s
}

func (in *inbox) writeError(ctx context.Context, o object, err error) error {
	key, _ := in.place(ctx, o.key, errorSuffix)
	return in.write(ctx, key, errorNote{noteOn(o), nameOf(err), err.Error()}, bucket.PutOptions{})
}

// started writes the status note, and takes away the error that an earlier object of this name has left.
func (in *inbox) started(ctx context.Context, o object, e executions.Execution, list *listNote) error {
	if err := in.writeStatus(ctx, noteOn(o), e, list); err != nil {
		return err
	}
	if key, ours := in.place(ctx, o.key, errorSuffix); ours {
		return in.bucket.Delete(ctx, key, "")
	}
	return nil
}

// writeStatus writes a status note, unless a later one is there: of the same execution at its end, or of a request that
// was dropped later under the same name. Two that write at once do so one after the other.
func (in *inbox) writeStatus(ctx context.Context, n note, e executions.Execution, list *listNote) error {
	const attempts = 8
	for attempt := 1; ; attempt++ {
		key, _ := in.place(ctx, n.Request, statusSuffix)
		condition := bucket.PutOptions{IfMissing: true}
		content, info, err := in.bucket.Read(ctx, key, maxNote, bucket.GetOptions{})
		if err == nil {
			condition = bucket.PutOptions{IfETag: info.ETag}
			var there statusNote
			if json.Unmarshal(content, &there) == nil && there.laterThan(n, e) {
				return nil
			}
		} else if !bucket.IsMissing(err) {
			return err
		}
		err = in.write(ctx, key, statusOf(n, e, list), condition)
		if !bucket.IsChanged(err) || attempt == attempts {
			return err
		}
	}
}

func (s statusNote) laterThan(n note, e executions.Execution) bool {
	if s.Request != n.Request {
		return false
	}
	if s.Execution.ID == e.Name {
		return s.Status.Ended() && !e.Ended()
	}
	there, err := time.Parse(time.RFC3339, s.DroppedAt)
	ours, ourErr := time.Parse(time.RFC3339, n.DroppedAt)
	return err == nil && ourErr == nil && there.After(ours)
}

// place finds the key for a note. Two requests that differ by their ends alone (heroes.json, heroes.csv) would share
// it: the second one gets its whole name, requests/heroes.csv.error.json. ours says that a note of this request is there
// already.
func (in *inbox) place(ctx context.Context, request, suffix string) (key string, ours bool) {
	key = beside(stem(request), suffix)
	switch in.requestOf(ctx, key) {
	case request:
		return key, true
	case "":
		return key, false
	}
	key = beside(request, suffix)
	return key, in.requestOf(ctx, key) == request
}

// requestOf reads the key of the request that a note is about, "" when there is nothing to be read.
func (in *inbox) requestOf(ctx context.Context, key string) string {
	content, _, err := in.bucket.Read(ctx, key, maxNote, bucket.GetOptions{})
	if err != nil {
		return ""
	}
	var n note
	_ = json.Unmarshal(content, &n)
	return n.Request
}

func (in *inbox) write(ctx context.Context, key string, v any, o bucket.PutOptions) error {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	o.ContentType = "application/json"
	_, err := in.bucket.Put(ctx, key, body.Bytes(), o)
	return err
}

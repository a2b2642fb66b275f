package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// originsPrefix is where it is kept which request an execution was started for. It is gone with the other files of
// batches, long after the execution's end.
const originsPrefix = "batches/notes/"

// origin is the request that an execution was started for.
type origin struct {
	note
	List *listNote `json:"list,omitempty"`
}

// named are the names that this function gives to executions.
var named = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (in *inbox) remember(ctx context.Context, execution string, o origin) error {
	return in.write(ctx, originsPrefix+execution+".json", o, bucket.PutOptions{})
}

// recall finds the request that an execution was started for; nil when it came by another way.
func (in *inbox) recall(ctx context.Context, execution string) (*origin, error) {
	if !named.MatchString(execution) {
		return nil, nil
	}
	content, _, err := in.bucket.Read(ctx, originsPrefix+execution+".json", maxNote, bucket.GetOptions{})
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var o origin
	return &o, json.Unmarshal(content, &o)
}

// ended handles the end of an execution: what a stopped one uploaded and wrote is removed, and the
// request that it was started for gets the end in its status note.
func (in *inbox) ended(ctx context.Context, log *slog.Logger, arn, name string) error {
	m := in.starter.Archives
	if arn != m.ARN(name) {
		m = in.starter.Batches
	}
	if arn != m.ARN(name) {
		log.WarnContext(ctx, "the execution is of another state machine", "executionArn", arn)
		return nil
	}
	log = log.With("execution", name)
	e, err := m.Describe(ctx, name)
	if executions.IsKind(err, executions.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !e.Ended() { // it was redriven, or the description lags behind
		return errors.New("the execution is not described as ended")
	}
	if m == in.starter.Archives && (e.Status == executions.Stopped || e.Status == executions.TimedOut) {
		p, err := m.Progress(ctx, name)
		if err != nil {
			return err
		}
		done := in.cleaner.CleanUp(ctx, log, e, p)
		log.InfoContext(ctx, "execution cleaned up", "upload", done.Upload, "object", done.Object)
	}
	o, err := in.recall(ctx, name)
	if o == nil || err != nil {
		return err
	}
	log.InfoContext(ctx, "execution ended", "status", string(e.Status), "request", o.Request)
	return in.writeStatus(ctx, o.note, e, o.List)
}

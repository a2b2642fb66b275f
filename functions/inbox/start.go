package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/sync"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// start starts what an object asks for. list is nil unless a list was read to its end.
func (in *inbox) start(ctx context.Context, o object) (e executions.Execution, list *listNote, err error) {
	p, list, err := in.prepare(ctx, o)
	if err != nil {
		return e, nil, err
	}
	// Before the start: the execution may end at once, and its end is noted beside the request.
	if err := in.remember(ctx, executionName(o), origin{noteOn(o), list}); err != nil {
		return e, nil, err
	}
	e, err = begin(ctx, p, o)
	return e, list, err
}

// prepare reads the object.
func (in *inbox) prepare(ctx context.Context, o object) (p executions.Prepared, list *listNote, err error) {
	format, ok := batch.FormatOf(o.key)
	if !ok {
		return p, nil, invalid("a name that ends with %q says nothing of what is in the object; drop a request as .json, or a "+
			"list of asset IDs as .csv, .txt or .jsonl", path.Ext(o.key))
	}
	content, err := in.open(ctx, o)
	if err != nil {
		return p, nil, err
	}
	defer content.Close()
	if err := checkEncoding(content.ContentEncoding); err != nil {
		return p, nil, err
	}
	if format == batch.FormatJSON {
		raw, err := readRequest(content)
		if err != nil {
			return p, nil, err
		}
		p, err = in.starter.Prepare(ctx, raw, o.key)
		return p, nil, err
	}
	l, err := readList(content, format)
	if err != nil {
		return p, nil, err
	}
	if l.more { // the list stays where it is
		p, err = in.starter.PrepareBatch(batch.Input{}, batch.List{Key: o.key, VersionID: o.version, ETag: o.etag, Format: format})
		return p, nil, err
	}
	p, err = in.starter.PrepareArchive(archive.Request{Query: scenario.Query{AssetIDs: l.ids}})
	return p, &listNote{l.lines, len(l.ids), l.duplicates}, err
}

// begin starts the execution that belongs to the object. One that has the name is this object's, whatever its input: the
// name is made from the event.
func begin(ctx context.Context, p executions.Prepared, o object) (executions.Execution, error) {
	e, err := p.Machine.Start(ctx, executionName(o), p.Input)
	switch {
	case err == nil, executions.IsKind(err, executions.KindOtherInput):
		return e, nil
	case passes(err):
		return e, err
	case executions.IsKind(err, executions.KindInput):
		return e, archive.NewError(archive.RequestInvalid, err, "Step Functions does not take the request: %v", err)
	}
	return e, archive.NewError(archive.Misconfigured, err, "Step Functions refuses this deployment: %v. Check "+
		"STATE_MACHINE_ARN, BATCH_STATE_MACHINE_ARN and the function's role", err)
}

// passes says whether another delivery of the same event may not have this error.
func passes(err error) bool {
	var failed *executions.Error
	return archive.NameOf(err) == archive.DestinationUnavailable || errors.As(err, &failed) && failed.Kind.Transient()
}

// startSync runs a sync whose definition was put into the bucket. What is wrong with the definition, the sync says itself.
func (in *inbox) startSync(ctx context.Context, log *slog.Logger, o object, name string) error {
	input, err := json.Marshal(sync.Input{Name: name})
	if err != nil {
		return err
	}
	e, err := begin(ctx, executions.Prepared{Machine: in.syncs, Input: string(input)}, o)
	switch {
	case passes(err):
		return err
	case err != nil:
		log.ErrorContext(ctx, "sync not started", "error", nameOf(err), "cause", err.Error())
		return err // the deployment needs a change: the event is kept
	}
	log.InfoContext(ctx, "sync started", "sync", name, "execution", e.Name, "executionArn", e.ARN)
	return nil
}

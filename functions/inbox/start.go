package main

import (
	"context"
	"errors"
	"path"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// start starts what an object asks for. list is nil unless a list was read to its end.
func (in *inbox) start(ctx context.Context, o object) (e executions.Execution, list *listNote, err error) {
	p, list, err := in.prepare(ctx, o)
	if err != nil {
		return e, nil, asTransient(err)
	}
	// Before the start: the execution may end at once, and its end is noted beside the request.
	if err := in.remember(ctx, executionName(o), origin{noteOn(o), list}); err != nil {
		return e, nil, asTransient(err)
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
	r, err := text(content, content.ContentEncoding)
	if err != nil {
		return p, nil, err
	}
	if format == batch.FormatJSON {
		raw, err := readObject(r)
		if err != nil {
			return p, nil, err
		}
		p, err = in.starter.Prepare(ctx, raw, o.key)
		return p, nil, err
	}
	l, err := readList(r, format)
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
	var failed *executions.Error
	switch {
	case err == nil, executions.IsKind(err, executions.KindOtherInput):
		return e, nil
	case errors.As(err, &failed) && failed.Kind.Transient():
		return e, transient{err}
	case executions.IsKind(err, executions.KindInput):
		return e, archive.NewError(archive.RequestInvalid, err, "Step Functions does not take the request: %v", err)
	}
	return e, archive.NewError(archive.Misconfigured, err, "Step Functions refuses this deployment: %v. Check "+
		"STATE_MACHINE_ARN, BATCH_STATE_MACHINE_ARN and the function's role", err)
}

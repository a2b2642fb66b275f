package main

import (
	"context"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// startRequest starts what a .json object asks for: a batch when it has more assets than go into one archive.
func (in *inbox) startRequest(ctx context.Context, o object, raw []byte) (executions.Execution, error) {
	if in.batches == nil || !batch.IsLong(raw) {
		request, err := archive.ParseRequest(raw)
		if err != nil {
			return executions.Execution{}, err
		}
		return in.startArchive(ctx, o, request)
	}
	asked, err := batch.ParseInput(raw)
	if err != nil {
		return executions.Execution{}, err
	}
	if unique := batch.Unique(asked.AssetIDs); len(unique) <= scenario.MaxAssets {
		asked.Request.Query.AssetIDs = unique
		return in.startArchive(ctx, o, asked.Request)
	}
	list, err := in.putList(ctx, o.key, asked.AssetIDs)
	if err != nil {
		return executions.Execution{}, passing(err)
	}
	return in.startBatch(ctx, o, asked, list)
}

// startBatch starts the batch that belongs to the object, of a list in the bucket.
func (in *inbox) startBatch(ctx context.Context, o object, asked batch.Input, list batch.List) (executions.Execution, error) {
	if in.batches == nil {
		return executions.Execution{}, invalid("the list has more than %d assets, and this deployment makes no batches; "+
			"split it into several objects", scenario.MaxAssets)
	}
	input, err := asked.Of(list)
	if err != nil {
		return executions.Execution{}, err
	}
	return begin(ctx, in.batches, o, input)
}

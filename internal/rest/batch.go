package rest

import (
	"context"
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// batchView is what a batch shows beside what an archive does, as far as it is known.
type batchView struct {
	Assets     int           `json:"assets,omitempty"` // each counted once
	Duplicates int           `json:"duplicates,omitempty"`
	Archives   *childrenView `json:"archives,omitempty"`
	Manifest   *batch.Object `json:"manifest,omitempty"` // once it is written
	Complete   *bool         `json:"complete,omitempty"` // whether every asset is in an archive
	Totals     *batch.Totals `json:"totals,omitempty"`
}

// childrenView counts a batch's archives. Those that an earlier run left in the bucket are finished.
type childrenView struct {
	Total    int   `json:"total"`
	Waiting  int64 `json:"waiting"`
	Running  int64 `json:"running"`
	Finished int64 `json:"finished"`
	Failed   int64 `json:"failed"`
}

// addBatch shows how far a batch is, and its manifest once there is one. The status stands without what cannot be read.
func (a *api) addBatch(ctx context.Context, v *view, e executions.Execution) {
	var out batch.Output
	if json.Unmarshal(e.Output, &out) == nil && out.Manifest != "" {
		t := out.Totals
		v.Batch.Assets, v.Batch.Duplicates, v.Batch.Complete, v.Batch.Totals = t.Assets, t.Duplicates, &out.Complete, &t
		v.Batch.Archives = &childrenView{Total: t.Archives + t.Failed, Finished: int64(t.Archives), Failed: int64(t.Failed)}
		a.addManifest(ctx, v, batch.Object{Bucket: out.Bucket, Key: out.Manifest})
		return
	}
	p, err := a.Batches.BatchProgress(ctx, e.Name)
	if err != nil {
		a.log(ctx).WarnContext(ctx, "no progress", "execution", e.Name, "cause", err.Error())
	}
	v.State = p.State
	if p.Plan == nil {
		return
	}
	v.Batch.Assets, v.Batch.Duplicates, v.Batch.Archives = p.Plan.Assets, p.Plan.Duplicates, children(p)
	if e.Error == string(archive.BatchFailed) { // it was written before the batch failed
		a.addManifest(ctx, v, p.Plan.Manifest)
	}
}

func children(p executions.BatchProgress) *childrenView {
	c := &childrenView{Total: p.Plan.Archives, Waiting: int64(p.Plan.ToDo), Finished: int64(p.Plan.Finished)}
	if p.Children != nil {
		c.Waiting, c.Running, c.Failed = p.Children.Pending, p.Children.Running, p.Children.Failed
		c.Finished += p.Children.Succeeded
	}
	return c
}

func (a *api) addManifest(ctx context.Context, v *view, o batch.Object) {
	v.Batch.Manifest = &o
	a.addLink(ctx, v, o.Bucket, o.Key)
}

package main

import (
	"context"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/sync"
)

type handler struct{ engine sync.Engine }

func (h handler) synced(ctx context.Context, log *slog.Logger, in sync.SyncedInput) (sync.Step, error) {
	step, err := h.engine.Synced(ctx, in)
	if err == nil && in.State.Step.Batch != nil {
		log.InfoContext(ctx, "sync: recorded", "sync", in.State.Step.Batch.Sync, "batch", in.State.Step.Batch.Name, "next", step.Next)
	}
	return step, err
}

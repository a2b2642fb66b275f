package main

import (
	"context"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/batch"
)

type handler struct{ planner batch.Planner }

func (h handler) plan(ctx context.Context, log *slog.Logger, in batch.PlanInput) (batch.Plan, error) {
	input, err := batch.ParseInput(in.Request)
	if err != nil {
		return batch.Plan{}, err
	}
	plan, err := h.planner.Plan(ctx, input, in.Execution, in.RedriveCount)
	if err != nil {
		return batch.Plan{}, err
	}
	log.InfoContext(ctx, "batch planned", "lines", plan.Lines, "assets", plan.Assets, "duplicates", plan.Duplicates, "archives", plan.Archives,
		"finished", plan.Finished, "maxConcurrency", plan.MaxConcurrency,
		"manifest", plan.Manifest.Key, "redriveCount", plan.RedriveCount)
	return plan, nil
}

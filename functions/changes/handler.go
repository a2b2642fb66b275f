package main

import (
	"context"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/sync"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
)

type handler struct {
	engine sync.Engine // but for its executions, which the event names
	sfn    executions.API
}

func (h handler) changes(ctx context.Context, log *slog.Logger, in sync.ChangesInput) (sync.Step, error) {
	machine, err := sync.ExecutionsOf(h.sfn, in.Execution)
	if err != nil {
		return sync.Step{}, err
	}
	engine := h.engine
	engine.Executions = machine
	step, err := engine.Changes(ctx, in)
	if err != nil {
		return step, err
	}
	report(ctx, log, step)
	return step, nil
}

func report(ctx context.Context, log *slog.Logger, step sync.Step) {
	if b := step.Batch; b != nil {
		log.InfoContext(ctx, "sync: assets to be fetched", "sync", b.Sync, "batch", b.Name)
		return
	}
	out := step.Output
	if out == nil {
		log.InfoContext(ctx, "sync: goes on with the list")
		return
	}
	log.InfoContext(ctx, "sync: ended", "sync", out.Name, "status", out.Status, "quiet", out.Quiet, "started", out.Started,
		"busy", out.Busy, "refused", out.Refused)
	if c := out.Counts; c != nil {
		telemetry.LogMetrics(ctx, log,
			telemetry.MetricOf("SyncsFinished", telemetry.Count, 1),
			telemetry.MetricOf("AssetsSynced", telemetry.Count, float64(c.Fetched)),
			telemetry.MetricOf("AssetsMissing", telemetry.Count, float64(c.Failed)))
		return
	}
	if out.Name == "" {
		telemetry.LogMetrics(ctx, log,
			telemetry.MetricOf("SyncsFinished", telemetry.Count, float64(out.Quiet)),
			telemetry.MetricOf("OldestSync", telemetry.Seconds, float64(out.OldestSuccess)))
	}
}

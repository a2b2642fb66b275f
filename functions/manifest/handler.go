package main

import (
	"context"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/step"
)

type handler struct{ manifester batch.Manifester }

func fromEnvironment(getenv func(string) string) (step.Logic[batch.ManifestInput, batch.ManifestOutput], error) {
	storage, err := batch.StorageFromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	return handler{batch.Manifester{Storage: storage}}.write, nil
}

func (h handler) write(ctx context.Context, log *slog.Logger, in batch.ManifestInput) (batch.ManifestOutput, error) {
	out, err := h.manifester.Write(ctx, in)
	if err != nil || out.Output == nil {
		return out, err
	}
	t := out.Output.Totals
	log.InfoContext(ctx, "batch ended", "manifest", out.Output.Manifest, "complete", out.Output.Complete,
		"archives", t.Archives, "failed", t.Failed, "assets", t.Assets, "size", t.Size, "entries", t.Entries)
	return out, nil
}

package main

import (
	"context"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/batch"
)

type handler struct{ manifester batch.Manifester }

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

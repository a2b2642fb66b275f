package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/sync"
)

// startSync runs a sync whose definition was put into the bucket. What is wrong with the definition, the sync says itself.
func (in *inbox) startSync(ctx context.Context, log *slog.Logger, o object, name string) error {
	input, err := json.Marshal(sync.Input{Name: name})
	if err != nil {
		return err
	}
	e, err := begin(ctx, executions.Prepared{Machine: in.syncs, Input: string(input)}, o)
	switch {
	case errors.As(err, new(transient)):
		return err
	case err != nil:
		log.ErrorContext(ctx, "sync not started", "error", nameOf(err), "cause", err.Error())
		return err // the deployment needs a change: the event is kept
	}
	log.InfoContext(ctx, "sync started", "sync", name, "execution", e.Name, "executionArn", e.ARN)
	return nil
}

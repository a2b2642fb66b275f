package rest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// show serves GET /archives/{id}.
func (a *api) show(w http.ResponseWriter, r *http.Request, id string) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	m, e, err := a.Find(r.Context(), id)
	if err != nil {
		return err
	}
	v := a.describe(r, m, e)
	switch {
	case m == a.Batches:
		a.addBatch(r.Context(), v, e)
	case e.Status == executions.Succeeded:
		a.addOutput(r.Context(), v, e)
	default:
		a.addProgress(r.Context(), v, e)
	}
	writeJSON(w, http.StatusOK, "application/json", v)
	return nil
}

// addOutput shows where the archive is. An output that is not this project's (somebody else's definition) is left out.
func (a *api) addOutput(ctx context.Context, v *view, e executions.Execution) {
	var out archive.Output
	if err := json.Unmarshal(e.Output, &out); err != nil || out.Bucket == "" || out.Key == "" {
		a.log(ctx).WarnContext(ctx, "the output is not an archive's", "execution", e.Name)
		return
	}
	v.Output = &out
	a.addLink(ctx, v, out.Bucket, out.Key)
}

func (a *api) addLink(ctx context.Context, v *view, bucket, key string) {
	link, err := a.Link(ctx, bucket, key)
	if err != nil {
		a.log(ctx).ErrorContext(ctx, "no link for the download", "execution", v.ID, "cause", err.Error())
		return
	}
	v.Download = &link
}

// addProgress adds what the history says. The status stands without it: when the history cannot be read (it is
// throttled first), a caller who polls shall not see an error.
func (a *api) addProgress(ctx context.Context, v *view, e executions.Execution) executions.Progress {
	p, err := a.Archives.Progress(ctx, e.Name)
	if err != nil {
		a.log(ctx).WarnContext(ctx, "no progress", "execution", e.Name, "cause", err.Error())
	}
	v.add(p)
	return p
}

func (a *api) log(ctx context.Context) *slog.Logger {
	return a.Logger.With("requestId", requestID(ctx))
}

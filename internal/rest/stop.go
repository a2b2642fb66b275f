package rest

import (
	"context"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// stop serves DELETE /archives/{id}. It may be repeated: a stopped execution is cleaned up after once more, because a
// function that was at work when it was stopped goes on until its own end.
func (a *api) stop(w http.ResponseWriter, r *http.Request, id string) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	ctx := r.Context()
	m, e, err := a.Find(ctx, id)
	if err != nil {
		return err
	}
	var children []string
	if m == a.Batches {
		children = a.children(ctx, e)
	}
	if !e.Ended() {
		e, err = a.end(ctx, m, id)
	}
	if err != nil {
		return err
	}
	if e.Status != executions.Stopped {
		return newProblem(http.StatusConflict, errAlreadyEnded, "the archive has ended as %s; there is nothing to stop, and "+
			"what it wrote stays", e.Status)
	}
	v := a.describe(r, m, e)
	if m == a.Batches { // Step Functions stops its archives' executions
		a.addBatch(ctx, v, e)
		v.Cleanup = new(a.CleanUpChildren(ctx, a.log(ctx), a.Archives, children))
	} else {
		p := a.addProgress(ctx, v, e)
		v.Cleanup = new(a.CleanUp(ctx, a.log(ctx), e, p))
	}
	writeJSON(w, http.StatusOK, "application/json", v)
	return nil
}

// children are the archives of a batch that are in the making. Without them the batch is stopped all the same.
func (a *api) children(ctx context.Context, e executions.Execution) []string {
	var names []string
	p, err := a.Batches.BatchProgress(ctx, e.Name)
	if p.Plan != nil {
		names, err = a.Archives.ChildrenInTheMaking(ctx, e.ARN, *p.Plan)
	}
	if err != nil {
		a.log(ctx).WarnContext(ctx, "the batch's archives are not known", "execution", e.Name, "cause", err.Error())
	}
	return names
}

// end stops the execution, and looks how it ended: it may have done so by itself in the meantime. A description may lag
// behind.
func (a *api) end(ctx context.Context, m *executions.Machine, id string) (executions.Execution, error) {
	const errorName, by = "Stopped", "stopped through the API, request "
	if err := m.Stop(ctx, id, errorName, by+requestID(ctx)); err != nil {
		return executions.Execution{}, err
	}
	e, err := m.Describe(ctx, id)
	if err == nil && !e.Ended() {
		e.Status, e.StoppedAt, e.Error, e.Cause = executions.Stopped, a.Now(), errorName, by+requestID(ctx)
	}
	return e, err
}

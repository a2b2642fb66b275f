package rest

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// cleanupTime bounds what is done after a stop; the gateway waits 29 s for an answer (REST APIs; HTTP APIs 30 s).
const cleanupTime = 12 * time.Second

// cleanupView tells what became of what the execution had begun.
type cleanupView struct {
	Job    string `json:"job"`    // none, canceled, not-canceled
	Upload string `json:"upload"` // none, aborted, not-aborted
}

// stop serves DELETE /archives/{id}. It may be repeated: a stopped execution is cleaned up after once more, because a
// function that was at work when it was stopped goes on until its own end.
func (a *api) stop(w http.ResponseWriter, r *http.Request, id string) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	ctx := r.Context()
	m, e, err := a.find(ctx, id)
	if err != nil {
		return err
	}
	if !e.Ended() {
		e, err = a.end(ctx, m, id)
	}
	if err != nil {
		return err
	}
	if e.Status != types.ExecutionStatusAborted {
		return newProblem(http.StatusConflict, errAlreadyEnded, "the archive has ended as %s; there is nothing to stop, and "+
			"what it wrote stays", statuses[e.Status])
	}
	v := a.describe(r, m, e)
	if m == a.Batches { // Step Functions stops its archives' executions; what these held is left to end by itself
		a.addBatch(ctx, v, e)
	} else {
		p := a.addProgress(ctx, v, e)
		v.Cleanup = a.cleanUp(ctx, e, p)
	}
	writeJSON(w, http.StatusOK, "application/json", v)
	return nil
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
		e.Status, e.StoppedAt, e.Error, e.Cause = types.ExecutionStatusAborted, a.Now(), errorName, by+requestID(ctx)
	}
	return e, err
}

// cleanUp gives back what the execution held: the job's place at Scenario, the parts of an unfinished upload. Best
// effort; a failure is told and logged, and changes nothing about the stop.
func (a *api) cleanUp(ctx context.Context, e executions.Execution, p executions.Progress) *cleanupView {
	done := &cleanupView{Job: "none", Upload: "none"}
	if p.Job.ID == "" {
		return done
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { done.Job = a.cancelJob(ctx, e, p) })
	both.Go(func() { done.Upload = a.abortUpload(ctx, e, p) })
	both.Wait()
	return done
}

func (a *api) cancelJob(ctx context.Context, e executions.Execution, p executions.Progress) string {
	if a.CancelJob == nil {
		return "not-canceled"
	}
	if err := a.CancelJob(ctx, p.Job.Ref()); err != nil {
		a.log(ctx).InfoContext(ctx, "job not canceled", "execution", e.Name, "jobId", p.Job.ID, "cause", err.Error())
		return "not-canceled"
	}
	return "canceled"
}

func (a *api) abortUpload(ctx context.Context, e executions.Execution, p executions.Progress) string {
	if err := a.AbortUpload(ctx, p.Destination, e.ARN); err != nil {
		a.log(ctx).WarnContext(ctx, "upload not aborted", "execution", e.Name, "key", p.Destination.Key, "cause", err.Error())
		return "not-aborted"
	}
	return "aborted"
}

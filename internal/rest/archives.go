package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
)

// view is an archive as the API shows it. It is made of named fields alone, so that nothing of an execution's data,
// such as the archive's signed URL at its source, is ever passed on by accident.
type view struct {
	ID           string            `json:"id"`
	ExecutionARN string            `json:"executionArn"`
	Status       executions.Status `json:"status"`
	State        string            `json:"state,omitempty"`
	StartedAt    time.Time         `json:"startedAt"`
	StoppedAt    *time.Time        `json:"stoppedAt,omitempty"`
	Deadline     *time.Time        `json:"deadline,omitempty"` // of Scenario's job

	Job      *jobView            `json:"job,omitempty"`
	Transfer *transferView       `json:"transfer,omitempty"`
	Batch    *batchView          `json:"batch,omitempty"` // always there for a batch
	Retry    *failureView        `json:"retry,omitempty"`
	Output   *archive.Output     `json:"output,omitempty"`
	Download *Link               `json:"download,omitempty"`
	Error    string              `json:"error,omitempty"`
	Cause    string              `json:"cause,omitempty"`
	Cleanup  *executions.Cleanup `json:"cleanup,omitempty"`
	Links    links               `json:"links"`
}

type jobView struct {
	ID       string   `json:"id"`
	Status   string   `json:"status,omitempty"`
	Progress *float64 `json:"progress,omitempty"`
}

type transferView struct {
	BytesDone  int64 `json:"bytesDone"`
	BytesTotal int64 `json:"bytesTotal"`
}

type failureView struct {
	Error string `json:"error"`
	Cause string `json:"cause"`
}

type links struct {
	Self string `json:"self"`
}

// describe gives what an execution's description has.
func (a *api) describe(r *http.Request, m *executions.Machine, e executions.Execution) *view {
	prefix := httpapi.FromContext(r.Context()).Prefix
	v := &view{
		ID: e.Name, ExecutionARN: e.ARN, Status: e.Status, StartedAt: e.StartedAt.UTC(),
		Error: e.Error, Cause: e.Cause, Links: links{Self: prefix + "/archives/" + url.PathEscape(e.Name)},
	}
	if m == a.Batches {
		v.Batch = &batchView{}
	}
	if !e.StoppedAt.IsZero() {
		v.StoppedAt = new(e.StoppedAt.UTC())
	}
	if e.Status == executions.TimedOut && v.Error == "" {
		v.Error, v.Cause = "States.Timeout", "the execution took longer than its state machine allows"
	}
	return v
}

// add adds what the history says.
func (v *view) add(p executions.Progress) {
	v.State = p.State
	if p.Job.ID != "" {
		v.Job = &jobView{ID: p.Job.ID}
		v.Deadline = new(p.Deadline.UTC())
	}
	if p.Job.ID != "" && p.Polled {
		v.Job.Status, v.Job.Progress = p.ScenarioStatus, &p.JobProgress
	}
	if p.BytesTotal > 0 {
		v.Transfer = &transferView{p.BytesDone, p.BytesTotal}
	}
	if p.RetryError != "" && v.StoppedAt == nil {
		v.Retry = &failureView{p.RetryError, p.RetryCause}
	}
}

// start serves POST /archives. It answers once Step Functions has taken the request.
func (a *api) start(w http.ResponseWriter, r *http.Request) error {
	dryRun, err := onlyFlag(r, "dryRun")
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	body, err := a.body(w, r)
	if err != nil {
		return err
	}
	if dryRun {
		return a.estimate(w, r, body)
	}
	p, err := a.Prepare(r.Context(), body, "assets")
	if err != nil {
		return notJSON(body, err)
	}
	e, err := a.Start(r.Context(), key, p, a.Now())
	if err != nil {
		return err
	}
	v := a.describe(r, p.Machine, e)
	w.Header().Set("Location", v.Links.Self)
	writeJSON(w, http.StatusAccepted, "application/json", v)
	return nil
}

// show serves GET /archives/{id}.
func (a *api) show(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	m, e, err := a.Find(r.Context(), r.PathValue("id"))
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

func (a *api) addLink(ctx context.Context, v *view, in, key string) {
	err := fmt.Errorf("the object is in the bucket %q, which is not this deployment's", in)
	if in == a.Bucket.Name {
		v.Download, err = a.link(ctx, key, path.Base(key), "")
	}
	if err != nil {
		a.log(ctx).ErrorContext(ctx, "no link for the download", "execution", v.ID, "cause", err.Error())
	}
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

// stop serves DELETE /archives/{id}. It may be repeated: a stopped execution is cleaned up after once more, because a
// function that was at work when it was stopped goes on until its own end.
func (a *api) stop(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	ctx := r.Context()
	m, e, err := a.Find(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	var children []string
	if m == a.Batches {
		children = a.children(ctx, e)
	}
	if !e.Ended() {
		e, err = a.end(ctx, m, e.Name)
	}
	if err != nil {
		return err
	}
	if e.Status != executions.Stopped {
		return errAlreadyEnded.problem("the archive has ended as %s; there is nothing to stop, and "+
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

package rest

import (
	"net/http"
	"net/url"
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

package scenario

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// A Status is where a job stands, in the API's words. Any that is not final means that the job is running.
type Status string

// The final statuses.
const (
	StatusSuccess  Status = "success"
	StatusFailure  Status = "failure"
	StatusCanceled Status = "canceled"
)

// Final reports whether the job has ended; an unknown status is one of a running job.
func (s Status) Final() bool {
	return s == StatusSuccess || s == StatusFailure || s == StatusCanceled
}

// Job is a job as the API last described it.
type Job struct {
	// ID is the API's jobId.
	ID string
	// Endpoint is what launched the job, as far as that is known.
	Endpoint Endpoint
	// ProjectID is the project that the job is looked up in; empty: the key's own.
	ProjectID string
	// Status is the API's word; empty after a launch that did not give one: running.
	Status Status
	// Progress is between 0 and 1; 0 if the API gives none.
	Progress float64
	// ArchiveURL is the archive's signed URL, which expires: a credential. It may be missing of a job that has just
	// succeeded (poll again), and each look at the job may give another one.
	ArchiveURL string
	// Reason is why the job failed or was canceled, in the API's words; without secrets. Often empty.
	Reason string
	// RetryAfter is how long the API asks to wait before the next look; 0: it did not.
	RetryAfter time.Duration
}

// Ref is what it takes to look the job up again.
func (j Job) Ref() JobRef { return JobRef{ID: j.ID, Endpoint: j.Endpoint, ProjectID: j.ProjectID} }

// A JobRef names a job.
type JobRef struct {
	ID string
	// Endpoint is the one of Job; EndpointAuto: not known.
	Endpoint Endpoint
	// ProjectID is that of the launch.
	ProjectID string
}

// Job asks how a job stands. It reads GET /jobs/{id}; where that has no archive URL of a job that succeeded, or does not
// exist, also GET /assets/download/{id}.
//
// Every error is an [*Error].
func (c *Client) Job(ctx context.Context, ref JobRef) (Job, error) {
	if err := ref.validate(opJob); err != nil {
		return Job{}, err
	}
	job, err := c.status(ctx, ref, "jobs/")
	incomplete := err == nil && job.Status == StatusSuccess && job.ArchiveURL == ""
	if !incomplete && !missing(err) {
		return job, err
	}
	download, downloadErr := c.status(ctx, ref, "assets/download/")
	switch {
	case err != nil && missing(downloadErr):
		return Job{}, err
	case err != nil:
		return download, downloadErr
	case missing(downloadErr), downloadErr != nil && ref.Endpoint == EndpointArchive:
		return job, nil // there is no second place to look: the guide describes the first one only
	case downloadErr != nil:
		return Job{}, downloadErr
	}
	job.ArchiveURL = download.ArchiveURL
	return job, nil
}

func (c *Client) status(ctx context.Context, ref JobRef, path string) (Job, error) {
	call := call{op: opJob, path: path + url.PathEscape(ref.ID), projectID: ref.ProjectID}
	return fetch(ctx, c, call, nil, Job{ID: ref.ID, Endpoint: ref.Endpoint, ProjectID: ref.ProjectID}.readStatus)
}

func (j Job) readStatus(got answer) (Job, error) {
	parsed, err := parseJobAnswer(got.body)
	switch {
	case err != nil:
		return j, err
	case parsed.status == "":
		return j, errors.New("it has no status")
	case parsed.id != "" && parsed.id != j.ID:
		return j, errors.New("it is about another job")
	case parsed.url != "" && !validArchiveURL(parsed.url):
		return j, errors.New("its archive URL is not an http(s) URL of at most 16 KiB")
	}
	j.Status, j.Progress, j.ArchiveURL = parsed.status, parsed.progress, parsed.url
	j.Reason, j.RetryAfter = got.clean.value(parsed.reasons...), got.retryAfter
	return j, nil
}

// CancelJob asks the API to cancel a job. It is best effort: the API refuses it for many jobs (KindInvalid, "Cannot
// cancel this type of job"), and a job that was canceled shows that by its status only.
func (c *Client) CancelJob(ctx context.Context, ref JobRef) error {
	if err := ref.validate(opCancel); err != nil {
		return err
	}
	call := call{op: opCancel, path: "jobs/" + url.PathEscape(ref.ID) + "/action", projectID: ref.ProjectID}
	ignore := func(answer) (struct{}, error) { return struct{}{}, nil }
	_, err := fetch(ctx, c, call, map[string]string{"action": "cancel"}, ignore)
	return err
}

func (r JobRef) validate(op string) error {
	if !validJobID(r.ID) {
		return &Error{Op: op, Kind: KindInvalid, Reason: "the job ID is empty or has characters that no job ID has"}
	}
	return nil
}

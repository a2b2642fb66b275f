package scenario

import (
	"context"
	"errors"
	"net/http"
)

// An Endpoint is which of the two public descriptions a job is launched by. Store it with the job's ID (see [JobRef]).
type Endpoint string

const (
	// EndpointAuto is the guide's, and the reference's where that one does not exist (404, 405, and the 403 by which API
	// Gateway answers for a route that it does not have); the other way round
	// for a query with inferences or models, or options that only the reference describes. The client remembers what it found.
	EndpointAuto Endpoint = ""
	// EndpointArchive is the guide's: POST /assets/archive.
	EndpointArchive Endpoint = "archive"
	// EndpointDownload is the API reference's: POST /assets/download.
	EndpointDownload Endpoint = "download"
)

func (e Endpoint) other() Endpoint {
	if e == EndpointArchive {
		return EndpointDownload
	}
	return EndpointArchive
}

// LaunchArchive launches a job that makes one archive. The Job has its ID and the Endpoint that it was launched by;
// follow it with [Client.Job] and Job.Ref.
//
// Every error is an [*Error]. KindUncertain is the one to think about: a job may exist.
func (c *Client) LaunchArchive(ctx context.Context, r ArchiveRequest) (Job, error) {
	if err := r.Validate(); err != nil {
		return Job{}, err
	}
	if c.options.Endpoint != EndpointAuto {
		return c.launch(ctx, r, c.options.Endpoint)
	}
	first := c.firstEndpoint(r)
	job, err := c.launch(ctx, r, first)
	if !missing(err) {
		return job, err
	}
	job, otherErr := c.launch(ctx, r, first.other())
	if missing(otherErr) {
		return Job{}, bothMissing(first, err, otherErr)
	}
	if otherErr == nil {
		c.learned.Store(first.other())
	}
	return job, otherErr
}

func (c *Client) firstEndpoint(r ArchiveRequest) Endpoint {
	if learned, ok := c.learned.Load().(Endpoint); ok {
		return learned
	}
	if len(r.Query.InferenceIDs) > 0 || len(r.Query.ModelIDs) > 0 || r.Options.ArchiveName != "" || r.Options.PreferOriginal {
		return EndpointDownload
	}
	return EndpointArchive
}

// launch launches at one endpoint.
func (c *Client) launch(ctx context.Context, r ArchiveRequest, e Endpoint) (Job, error) {
	launch := call{op: opLaunch, path: "assets/" + string(e), projectID: r.ProjectID, launch: true}
	return fetch(ctx, c, launch, r.body(e), Job{Endpoint: e, ProjectID: r.ProjectID}.readLaunch)
}

// readLaunch adds what a launch answered: an ID, and by the guide perhaps a status too.
func (j Job) readLaunch(got answer) (Job, error) {
	parsed, err := parseJobAnswer(got.body)
	if err != nil {
		return j, err
	}
	if !validJobID(parsed.id) {
		return j, errors.New("it has no usable jobId")
	}
	j.ID, j.RetryAfter = parsed.id, got.retryAfter
	j.Status, j.Progress, j.Reason = parsed.status, parsed.progress, got.clean.value(parsed.reasons...)
	return j, nil
}

// missing reports whether an error may mean that the endpoint does not exist. (404 may also be about an asset: then the
// other endpoint says the same.)
func missing(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.noRoute || e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusMethodNotAllowed)
}

// bothMissing is one error of two, each of which may be the one that names the reason. Both are *Error (see missing).
func bothMissing(first Endpoint, err, otherErr error) error {
	var one, two *Error
	errors.As(err, &one)
	errors.As(otherErr, &two)
	switch {
	case one.noRoute && !two.noRoute:
		return two
	case two.noRoute && !one.noRoute:
		return one
	}
	merged := *one
	if two.Kind == KindNotFound {
		merged.Kind, merged.StatusCode = two.Kind, two.StatusCode
	}
	if one.Reason != two.Reason {
		merged.Reason = string(first) + " endpoint: " + one.Reason + "; " + string(first.other()) + " endpoint: " + two.Reason
	}
	return &merged
}

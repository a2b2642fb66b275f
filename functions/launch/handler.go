package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// firstWaitSeconds is the wait before the first poll: a small archive may be ready in a second.
const firstWaitSeconds = 1

// api is what the handler needs of the Scenario client.
type api interface {
	LaunchArchive(context.Context, scenario.ArchiveRequest) (scenario.Job, error)
	FindArchiveJobs(context.Context, scenario.ArchiveRequest, time.Time) (scenario.FoundJobs, error)
}

type handler struct {
	scenario api
	bucket   string // where archives go
	prefix   string // for a request that names no place; "" means the default
	now      func() time.Time
}

// launch checks everything that can be checked before Scenario is asked, the destination too: a job whose archive
// has no place to go is work for nothing.
func (h handler) launch(ctx context.Context, log *slog.Logger, in archive.LaunchInput) (archive.LaunchOutput, error) {
	request, err := archive.ParseRequest(in.Request)
	if err != nil {
		return archive.LaunchOutput{}, err
	}
	destination, err := request.Resolve(h.bucket, h.prefix, in.Execution.Name)
	if err != nil {
		return archive.LaunchOutput{}, err
	}
	asked := scenario.ArchiveRequest{Query: request.Query, Options: request.Options, ProjectID: request.ProjectID}
	event, job := "job launched", scenario.Job{}
	if in.Find {
		event = "job found"
		job, err = h.find(ctx, asked, in.Execution)
	} else {
		job, err = h.scenario.LaunchArchive(ctx, asked)
	}
	if err != nil {
		return archive.LaunchOutput{}, archive.FromScenario(err)
	}
	now := h.now().UTC()
	log.InfoContext(ctx, event, "jobId", job.ID, "endpoint", string(job.Endpoint),
		"assets", len(request.Query.AssetIDs), "key", destination.Key)
	return archive.LaunchOutput{
		Job:         archive.Job{ID: job.ID, Endpoint: job.Endpoint, ProjectID: request.ProjectID},
		LaunchedAt:  now,
		Deadline:    now.Add(request.Timeout()),
		WaitSeconds: firstWaitSeconds,
		Destination: destination,
	}, nil
}

package main

import (
	"context"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// clockDifference is how far Scenario's clock may be behind that of Step Functions.
const clockDifference = time.Minute

// find looks for the job that a launch of this execution may have made before its answer was lost, or before the function
// died. It never launches. Every failure is LaunchUncertain, for the job may exist: the state machine looks again for some
// minutes, in case the job is listed late or Scenario does not answer now.
//
// Any job is taken that was made from the same request since the execution's start. It may be one that another execution
// with the same request has launched: its archive is the one that is wanted.
func (h handler) find(ctx context.Context, asked scenario.ArchiveRequest, e archive.Execution) (scenario.Job, error) {
	start, err := time.Parse(time.RFC3339, e.StartTime)
	if err != nil {
		return scenario.Job{}, archive.NewError(archive.Internal, err, "the event does not say when the execution started: %v", err)
	}
	found, err := h.scenario.FindArchiveJobs(ctx, asked, start.Add(-clockDifference))
	switch {
	case err != nil:
		return scenario.Job{}, archive.NewError(archive.LaunchUncertain, err, "a launch was sent, or may have been, and its "+
			"answer is lost; Scenario's jobs could not be searched for it: %v. %s", err, uncertainAdvice)
	case len(found.Matching) > 0:
		return found.Matching[0], nil
	case found.Unclear > 0:
		return scenario.Job{}, archive.NewError(archive.LaunchUncertain, nil, "a launch was sent, or may have been, and its "+
			"answer is lost; %d of Scenario's jobs do not say whether they are this one. %s", found.Unclear, uncertainAdvice)
	}
	return scenario.Job{}, archive.NewError(archive.LaunchUncertain, nil, "a launch was sent, or may have been, and its answer "+
		"is lost; no job of this request is among Scenario's. %s", uncertainAdvice)
}

const uncertainAdvice = "It was not launched twice. Look for the job at Scenario; to make the archive all the same, start the " +
	"execution again"

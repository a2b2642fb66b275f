package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// jobs is what the handler needs of the Scenario client.
type jobs interface {
	Job(context.Context, scenario.JobRef) (scenario.Job, error)
	CancelJob(context.Context, scenario.JobRef) error
}

type handler struct {
	scenario jobs
	now      func() time.Time
}

func (h handler) poll(ctx context.Context, log *slog.Logger, in archive.PollInput) (archive.PollOutput, error) {
	job, err := h.scenario.Job(ctx, in.Job.Ref())
	if job, err = tolerate(job, err); err != nil {
		return archive.PollOutput{}, err
	}
	out := h.decide(in, job)
	log.InfoContext(ctx, "job polled", "status", out.Status, "scenarioStatus", out.ScenarioStatus,
		"progress", out.Progress, "waitSeconds", out.WaitSeconds)
	h.count(ctx, log, in, out)
	if out.Status == archive.PollTimedOut {
		h.cancel(ctx, log, in.Job)
	}
	return out, nil
}

// jobErrors are the errors that the state machine ends with by a poll's status: this step itself has not failed.
var jobErrors = map[archive.PollStatus]string{
	archive.PollFailure: "JobFailed", archive.PollCanceled: "JobCanceled", archive.PollTimedOut: "JobTimedOut",
}

func (h handler) count(ctx context.Context, log *slog.Logger, in archive.PollInput, out archive.PollOutput) {
	now := h.now()
	values := []telemetry.Metric{
		telemetry.MetricOf("Polls", telemetry.Count, 1),
		telemetry.MetricOf("ExecutionAge", telemetry.Seconds, in.Execution.Age(now).Seconds()),
	}
	if out.Status != archive.PollRunning {
		values = append(values, telemetry.MetricOf("JobWait", telemetry.Seconds, now.Sub(in.LaunchedAt).Seconds()))
	}
	telemetry.LogMetrics(ctx, log, values...)
	if name, ended := jobErrors[out.Status]; ended {
		telemetry.LogFailure(ctx, log, name)
	}
}

// tolerate turns the errors that are an answer into one: a rate limit means to wait as long as it says, which a Wait
// state does for free, and a job that is not known any more has failed.
func tolerate(job scenario.Job, err error) (scenario.Job, error) {
	var e *scenario.Error
	switch {
	case err == nil:
		return job, nil
	case errors.As(err, &e) && e.Kind == scenario.KindRateLimited:
		return scenario.Job{Status: "rate-limited", RetryAfter: e.RetryAfter}, nil
	case errors.As(err, &e) && e.Kind == scenario.KindNotFound:
		return scenario.Job{Status: scenario.StatusFailure, Reason: "Scenario does not know the job (any more)"}, nil
	default:
		return job, archive.FromScenario(err)
	}
}

func (h handler) decide(in archive.PollInput, job scenario.Job) archive.PollOutput {
	now := h.now()
	out := archive.PollOutput{
		Status:         archive.PollRunning,
		ScenarioStatus: job.Status,
		Progress:       job.Progress,
		WaitSeconds:    archive.NextWait(now.Sub(in.LaunchedAt), job.RetryAfter, in.Deadline.Sub(now)),
	}
	switch {
	case job.Status == scenario.StatusFailure:
		out.Status, out.Cause = archive.PollFailure, ended(in.Job, "failed", job.Reason)
	case job.Status == scenario.StatusCanceled:
		out.Status, out.Cause = archive.PollCanceled, ended(in.Job, "was canceled", job.Reason)
	case job.Status == scenario.StatusSuccess && job.ArchiveURL != "":
		out.Status, out.ArchiveURL, out.WaitSeconds = archive.PollSuccess, job.ArchiveURL, 1 // should the URL expire
	case !now.Before(in.Deadline):
		out.Status, out.Cause = archive.PollTimedOut, tooLate(in, job)
	}
	return out
}

func ended(job archive.Job, how, reason string) string {
	if reason == "" {
		reason = "Scenario gave no reason"
	}
	return archive.Message("Scenario's job %s %s: %s. Check the assets and start the execution again", job.ID, how, reason)
}

// tooLate distinguishes a job that is still working from one that ended without an archive to fetch.
func tooLate(in archive.PollInput, job scenario.Job) string {
	allowed := in.Deadline.Sub(in.LaunchedAt).Round(time.Second)
	if job.Status == scenario.StatusSuccess {
		return archive.Message("Scenario's job %s ended, but named no archive within %s", in.Job.ID, allowed)
	}
	return archive.Message("Scenario's job %s was still %q at %.0f %% after %s; ask for fewer assets or raise "+
		"timeoutSeconds in the request", in.Job.ID, job.Status, job.Progress*100, allowed)
}

// cancel frees the team's slot for a job that nobody waits for any more. Scenario often cannot cancel: best effort.
func (h handler) cancel(ctx context.Context, log *slog.Logger, job archive.Job) {
	if err := h.scenario.CancelJob(ctx, job.Ref()); err != nil {
		log.InfoContext(ctx, "job not canceled", "reason", err.Error())
	}
}

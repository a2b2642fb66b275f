package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// api answers each question about a job with one answer, and counts cancellations.
type api struct {
	job      scenario.Job
	err      error
	canceled int
}

func (a *api) Job(context.Context, scenario.JobRef) (scenario.Job, error) { return a.job, a.err }

func (a *api) CancelJob(context.Context, scenario.JobRef) error {
	a.canceled++
	return errors.New("Cannot cancel this type of job")
}

func TestPoll(t *testing.T) {
	t.Parallel()
	launched := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const hour = time.Hour
	job := func(s scenario.Status) scenario.Job { return scenario.Job{ID: "job_1", Status: s} }
	withURL := job(scenario.StatusSuccess)
	withURL.ArchiveURL = "https://signed"
	failed := job(scenario.StatusFailure)
	failed.Reason = "out of memory"
	slow := job("in-progress")
	slow.Progress, slow.RetryAfter = 0.4, 30*time.Second
	for _, c := range []struct {
		name     string
		api      api
		waited   time.Duration
		want     archive.PollOutput
		cause    string
		canceled int
	}{
		{name: "running", api: api{job: slow}, waited: 12 * time.Second,
			want: archive.PollOutput{Status: "running", ScenarioStatus: "in-progress", Progress: 0.4, WaitSeconds: 30}},
		{name: "a status nobody knows", api: api{job: job("dreaming")}, waited: 12 * time.Second,
			want: archive.PollOutput{Status: "running", ScenarioStatus: "dreaming", WaitSeconds: 2}},
		{name: "success", api: api{job: withURL}, waited: hour / 2,
			want: archive.PollOutput{Status: "success", ScenarioStatus: "success", WaitSeconds: 1, ArchiveURL: "https://signed"}},
		{name: "success after the deadline is still one", api: api{job: withURL}, waited: 2 * hour,
			want: archive.PollOutput{Status: "success", ScenarioStatus: "success", WaitSeconds: 1, ArchiveURL: "https://signed"}},
		{name: "success without a URL yet", api: api{job: job(scenario.StatusSuccess)}, waited: 6 * time.Second,
			want: archive.PollOutput{Status: "running", ScenarioStatus: "success", WaitSeconds: 1}},
		{name: "success without a URL for ever", api: api{job: job(scenario.StatusSuccess)}, waited: hour,
			want:  archive.PollOutput{Status: "timed-out", ScenarioStatus: "success", WaitSeconds: 1},
			cause: "named no archive within 1h0m0s", canceled: 1},
		{name: "failure", api: api{job: failed}, waited: time.Second,
			want:  archive.PollOutput{Status: "failure", ScenarioStatus: "failure", WaitSeconds: 1},
			cause: "job job_1 failed: out of memory"},
		{name: "failure without a reason", api: api{job: job(scenario.StatusFailure)}, waited: time.Second,
			want:  archive.PollOutput{Status: "failure", ScenarioStatus: "failure", WaitSeconds: 1},
			cause: "gave no reason"},
		{name: "canceled", api: api{job: job(scenario.StatusCanceled)}, waited: time.Second,
			want:  archive.PollOutput{Status: "canceled", ScenarioStatus: "canceled", WaitSeconds: 1},
			cause: "job job_1 was canceled"},
		{name: "a moment before the deadline", api: api{job: slow}, waited: hour - time.Millisecond,
			want: archive.PollOutput{Status: "running", ScenarioStatus: "in-progress", Progress: 0.4, WaitSeconds: 1}},
		{name: "at the deadline", api: api{job: slow}, waited: hour,
			want:  archive.PollOutput{Status: "timed-out", ScenarioStatus: "in-progress", Progress: 0.4, WaitSeconds: 1},
			cause: `still "in-progress" at 40 % after 1h0m0s; ask for fewer assets or raise timeoutSeconds`, canceled: 1},
		{name: "rate limited", api: api{err: &scenario.Error{Kind: scenario.KindRateLimited, RetryAfter: 90 * time.Second}}, waited: time.Second,
			want: archive.PollOutput{Status: "running", ScenarioStatus: "rate-limited", WaitSeconds: 90}},
		{name: "job not known", api: api{err: &scenario.Error{Kind: scenario.KindNotFound}}, waited: time.Second,
			want:  archive.PollOutput{Status: "failure", ScenarioStatus: "failure", WaitSeconds: 1},
			cause: "does not know the job"},
	} {
		h := handler{scenario: &c.api, now: func() time.Time { return launched.Add(c.waited) }}
		in := archive.PollInput{Job: archive.Job{ID: "job_1"}, LaunchedAt: launched, Deadline: launched.Add(hour)}
		got, err := h.poll(t.Context(), slog.New(slog.DiscardHandler), in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.Contains(got.Cause, c.cause) || (c.cause == "") != (got.Cause == "") {
			t.Errorf("%s: cause %q does not say %q", c.name, got.Cause, c.cause)
		}
		got.Cause = ""
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if c.api.canceled != c.canceled {
			t.Errorf("%s: canceled %d times, want %d", c.name, c.api.canceled, c.canceled)
		}
	}
}

func TestPollErrors(t *testing.T) {
	t.Parallel()
	for kind, want := range map[scenario.Kind]archive.Name{
		scenario.KindUnauthorized: "Unauthorized", scenario.KindUnavailable: "ScenarioUnavailable",
	} {
		h := handler{scenario: &api{err: &scenario.Error{Kind: kind}}, now: time.Now}
		_, err := h.poll(t.Context(), slog.New(slog.DiscardHandler), archive.PollInput{})
		if archive.NameOf(err) != want {
			t.Errorf("%s: got %T, want %s", kind, err, want)
		}
	}
}

func TestPollCounts(t *testing.T) {
	t.Parallel()
	launched := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for status, want := range map[scenario.Status]string{
		"in-progress":           `"Polls":1,"ExecutionAge":70,"_aws"`,
		scenario.StatusCanceled: `"Polls":1,"ExecutionAge":70,"JobWait":60,"_aws"`,
		scenario.StatusFailure:  `"Error":"JobFailed"`,
	} {
		var b bytes.Buffer
		h := handler{scenario: &api{job: scenario.Job{Status: status}}, now: func() time.Time { return launched.Add(time.Minute) }}
		in := archive.PollInput{LaunchedAt: launched, Deadline: launched.Add(time.Hour),
			Execution: archive.Execution{StartTime: launched.Add(-10 * time.Second).Format(time.RFC3339Nano)}}
		if _, err := h.poll(t.Context(), slog.New(slog.NewJSONHandler(&b, nil)), in); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: no %s in\n%s", status, want, b.String())
		}
	}
}

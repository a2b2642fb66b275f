package scenariotest

import (
	"crypto/rand"
	"strings"
	"time"
)

// The statuses of a job, and the outcome that is none.
const (
	statusQueued     = "queued"
	statusWarmingUp  = "warming-up"
	statusInProgress = "in-progress"
	statusFinalizing = "finalizing"
	statusSuccess    = "success"
	statusFailure    = "failure"
	statusCanceled   = "canceled"
	outcomeStuck     = "stuck"

	jobType = "assets-download"
)

const slowdown = 10 // of asset_slow

// A job is what a launch made, and what its file in the state has. It does not change: where it stands follows from the
// time.
type job struct {
	ID       string        `json:"id"`
	Project  string        `json:"project,omitempty"`
	Launched Operation     `json:"launched"`
	Created  time.Time     `json:"created"`
	Duration time.Duration `json:"duration"` // nanoseconds

	Asked    map[string]any `json:"asked"` // the launch's query and options: metadata.input
	Assets   []asset        `json:"assets"`
	Flat     bool           `json:"flat,omitempty"`
	Template string         `json:"template,omitempty"`

	Outcome string `json:"outcome"` // a final status, or outcomeStuck
	Reason  string `json:"reason,omitempty"`
	NoURL   bool   `json:"noUrl,omitempty"`
	Expired bool   `json:"expired,omitempty"`
	Corrupt bool   `json:"corrupt,omitempty"`
}

func newJobID() string { return "job_" + rand.Text() }

// misbehave applies what the special assets among the job's do.
func (j *job) misbehave() {
	for _, a := range j.Assets {
		switch {
		case strings.HasPrefix(a.ID, prefixFail):
			j.Outcome, j.Reason = statusFailure, "The asset "+a.ID+" could not be read"
		case strings.HasPrefix(a.ID, prefixCancel):
			j.Outcome, j.Reason = statusCanceled, "The job was canceled by an operator"
		case strings.HasPrefix(a.ID, prefixStuck):
			j.Outcome = outcomeStuck
		case strings.HasPrefix(a.ID, prefixSlow):
			j.Duration *= slowdown
		case strings.HasPrefix(a.ID, prefixNoURL):
			j.NoURL = true
		case strings.HasPrefix(a.ID, prefixExpired):
			j.Expired = true
		case strings.HasPrefix(a.ID, prefixCorrupt):
			j.Corrupt = true
		}
	}
}

// phases are what a job goes through; each begins when that part of its duration has passed.
var phases = []struct {
	begins float64
	status string
}{{0, statusQueued}, {0.1, statusWarmingUp}, {0.2, statusInProgress}, {0.9, statusFinalizing}}

// ends is when the job reaches its outcome; zero: never.
func (j *job) ends() time.Time {
	switch j.Outcome {
	case outcomeStuck:
		return time.Time{}
	case statusSuccess:
		return j.Created.Add(j.Duration)
	default: // half way
		return j.Created.Add(j.Duration / 2)
	}
}

func (j *job) final(now time.Time) bool {
	end := j.ends()
	return !end.IsZero() && !now.Before(end)
}

// elapsed is the part of the duration that has passed, below 1 as long as the job runs.
func (j *job) elapsed(now time.Time) float64 {
	if j.Duration <= 0 {
		return 0
	}
	return min(max(now.Sub(j.Created).Seconds()/j.Duration.Seconds(), 0), 0.99)
}

// A change is one entry of a job's statusHistory.
type change struct {
	at     time.Time
	status string
}

// history is the statuses that the job has had so far; the last one is the current.
func (j *job) history(now time.Time) (changes []change) {
	final := j.final(now)
	if final {
		now = j.ends()
	}
	for _, phase := range phases {
		if phase.begins <= j.elapsed(now) {
			changes = append(changes, change{j.Created.Add(time.Duration(phase.begins * float64(j.Duration))), phase.status})
		}
	}
	if final {
		changes = append(changes, change{now, j.Outcome})
	}
	return changes
}

// current is the last change of the job's status.
func (j *job) current(now time.Time) change {
	history := j.history(now)
	return history[len(history)-1]
}

func (j *job) succeeded(now time.Time) bool { return j.final(now) && j.Outcome == statusSuccess }

func (j *job) progress(now time.Time) float64 {
	switch {
	case j.succeeded(now):
		return 1
	case j.final(now):
		return j.elapsed(j.ends())
	}
	return j.elapsed(now)
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

package scenariotest

import (
	"crypto/rand"
	"slices"
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

// A job is what a launch made. It does not change but for canceledAt: where it stands follows from the time.
type job struct {
	id       string
	project  string
	launched Operation
	created  time.Time
	duration time.Duration

	asked    map[string]any // the launch's query and options: metadata.input
	assets   []asset
	flat     bool
	template string

	outcome string // a final status, or outcomeStuck
	reason  string
	noURL   bool
	expired bool
	corrupt bool

	canceledAt time.Time
}

func newJobID() string { return "job_" + rand.Text() }

// misbehave applies what the special assets among the job's do.
func (j *job) misbehave() {
	for _, a := range j.assets {
		switch {
		case strings.HasPrefix(a.id, prefixFail):
			j.outcome, j.reason = statusFailure, "The asset "+a.id+" could not be read"
		case strings.HasPrefix(a.id, prefixCancel):
			j.outcome, j.reason = statusCanceled, "The job was canceled by an operator"
		case strings.HasPrefix(a.id, prefixStuck):
			j.outcome = outcomeStuck
		case strings.HasPrefix(a.id, prefixSlow):
			j.duration *= slowdown
		case strings.HasPrefix(a.id, prefixNoURL):
			j.noURL = true
		case strings.HasPrefix(a.id, prefixExpired):
			j.expired = true
		case strings.HasPrefix(a.id, prefixCorrupt):
			j.corrupt = true
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
	switch {
	case !j.canceledAt.IsZero():
		return j.canceledAt
	case j.outcome == outcomeStuck:
		return time.Time{}
	case j.outcome == statusSuccess:
		return j.created.Add(j.duration)
	default: // half way
		return j.created.Add(j.duration / 2)
	}
}

func (j *job) final(now time.Time) bool {
	end := j.ends()
	return !end.IsZero() && !now.Before(end)
}

// elapsed is the part of the duration that has passed, below 1 as long as the job runs.
func (j *job) elapsed(now time.Time) float64 {
	if j.duration <= 0 {
		return 0
	}
	return min(max(now.Sub(j.created).Seconds()/j.duration.Seconds(), 0), 0.99)
}

// updated is when the job's status changed last.
func (j *job) updated(now time.Time) time.Time {
	if j.final(now) {
		return j.ends()
	}
	for _, phase := range slices.Backward(phases) {
		if phase.begins <= j.elapsed(now) {
			return j.created.Add(time.Duration(phase.begins * float64(j.duration)))
		}
	}
	return j.created
}

// A change is one entry of a job's statusHistory.
type change struct {
	Date   string `json:"date"`
	Status string `json:"status"`
}

// history is the statuses that the job has had so far; the last one is the current.
func (j *job) history(now time.Time) []change {
	var changes []change
	until := now
	if j.final(now) {
		until = j.ends()
	}
	for _, phase := range phases {
		if phase.begins <= j.elapsed(until) {
			at := j.created.Add(time.Duration(phase.begins * float64(j.duration)))
			changes = append(changes, change{isoTime(at), phase.status})
		}
	}
	if j.final(now) {
		changes = append(changes, change{isoTime(until), j.finalStatus()})
	}
	return changes
}

func (j *job) finalStatus() string {
	if !j.canceledAt.IsZero() {
		return statusCanceled
	}
	return j.outcome
}

func (j *job) status(now time.Time) string {
	changes := j.history(now)
	return changes[len(changes)-1].Status
}

func (j *job) progress(now time.Time) float64 {
	if j.final(now) && j.finalStatus() == statusSuccess {
		return 1
	}
	if j.final(now) {
		now = j.ends()
	}
	return j.elapsed(now)
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

package statemachine_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// What one way through a state costs in events of the history.
const (
	eventsOfEntry   = 2 // entered and exited
	eventsOfAttempt = 3 // scheduled, started, ended
	eventsOfFrame   = 10

	// leastTransfer is how long a transfer, or an unpacking, works before it stops unfinished: its function's 15 minutes without the half
	// minute that it keeps for its end, and a wide margin.
	leastTransfer = 12 * time.Minute
	maxExpiries   = 21
)

// retries are the expected waits before each further attempt at a state, in seconds: with full jitter, half of the most.
type retries []float64

func readRetries(t *testing.T, definition []byte) (states map[string]retries, timeout float64) {
	t.Helper()
	var d struct {
		TimeoutSeconds float64
		States         map[string]struct {
			Retry []struct {
				IntervalSeconds, MaxAttempts, BackoffRate, MaxDelaySeconds float64
				JitterStrategy                                             string
			}
		}
	}
	if err := json.Unmarshal(definition, &d); err != nil {
		t.Fatal(err)
	}
	states = map[string]retries{}
	for name, s := range d.States {
		for _, r := range s.Retry {
			if r.JitterStrategy != "FULL" || r.MaxDelaySeconds == 0 || r.MaxAttempts == 0 {
				t.Errorf("%s: a retrier without jitter, longest delay or number of attempts", name)
			}
			for i := range int(r.MaxAttempts) {
				states[name] = append(states[name], min(r.IntervalSeconds*math.Pow(r.BackoffRate, float64(i)), r.MaxDelaySeconds)/2)
			}
		}
		slices.Sort(states[name])
	}
	return states, d.TimeoutSeconds
}

// visits are how often an execution comes to states with the same retries.
type visits struct {
	retries
	times int
}

// mostRetries is how many retries fit into the seconds, the shortest first: no order of failures makes more.
func mostRetries(seconds float64, all ...visits) int {
	next := make([]int, len(all))
	total := 0
	for {
		at := -1
		for i, v := range all {
			if v.times > 0 && next[i] < len(v.retries) && (at < 0 || v.retries[next[i]] < all[at].retries[next[at]]) {
				at = i
			}
		}
		if at < 0 {
			return total
		}
		each := all[at].retries[next[at]]
		n := min(all[at].times, int(seconds/each))
		total += n
		if n < all[at].times {
			return total
		}
		seconds -= float64(n) * each
		next[at]++
	}
}

// pollTimes is when a job is polled that runs for a day, the longest that a request may allow.
func pollTimes() (at []float64) {
	const longest = 24 * time.Hour
	for waited := time.Second; waited < longest; {
		at = append(at, waited.Seconds())
		waited += time.Duration(archive.NextWait(waited, 0, longest-waited)) * time.Second
	}
	return at
}

// The history of an execution holds 25,000 events, and nothing catches the one too many. Whatever fails, however often,
// the time limit of the execution and the delays of the retriers keep it below: computed for every number of polls and
// of transfers that fit into the time, with the retries that make most events of what is left of it.
func TestTheHistoryIsBounded(t *testing.T) {
	t.Parallel()
	states, timeout := readRetries(t, readDefinition(t, "archive.asl.json"))
	// Transfer and Unpack cost the same; which of them takes the time makes no difference.
	if !slices.Equal(states["Transfer"], states["Unpack"]) {
		t.Error("Unpack is not retried as Transfer is, for which the bound is computed")
	}
	once := []visits{{states["Launch"], 1}, {states["FindJob"], 1}, {states["AbortUpload"], 1}, {states["AbortUnpack"], 1}, {states["Unpack"], 1}}
	at := append([]float64{0}, pollTimes()...)
	worst, worstPolls, worstTransfers := 0, 0, 0
	for polls := 0; polls < len(at); polls += 5 {
		for transfers := 0; at[polls]+float64(transfers)*leastTransfer.Seconds() < timeout; transfers += 5 {
			left := timeout - at[polls] - float64(transfers)*leastTransfer.Seconds()
			p, q := polls+5+maxExpiries, transfers+5+maxExpiries
			events := eventsOfFrame + len(once)*(eventsOfEntry+eventsOfAttempt) +
				p*(3*eventsOfEntry+eventsOfAttempt) + // Wait, Poll, CheckJob
				q*(2*eventsOfEntry+eventsOfAttempt) + // Transfer and CheckTransfer, or Unpack and CheckUnpack
				maxExpiries*2*eventsOfEntry + // CountExpiry, CheckExpiries
				eventsOfAttempt*mostRetries(left, append(once, visits{states["Poll"], p}, visits{states["Transfer"], q})...)
			if events > worst {
				worst, worstPolls, worstTransfers = events, polls, transfers
			}
		}
	}
	t.Logf("at most %d events, with %d polls and %d unfinished transfers", worst, worstPolls, worstTransfers)
	if worst >= asl.MaxEvents {
		t.Errorf("%d events are possible; a history holds %d", worst, asl.MaxEvents)
	}
}

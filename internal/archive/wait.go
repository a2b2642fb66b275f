package archive

import "time"

const (
	minWait = time.Second
	maxWait = time.Minute
	// share of the time waited so far that the next wait takes: a job is seen to have ended at most this much later
	// than it did, and a job of an hour costs about 80 polls instead of 1200.
	share = 6
	// After an hour the waits grow again, more slowly: the history of an execution holds 25,000 events, and each poll of
	// a job of a day may be tried many times.
	longShare   = 60
	longMaxWait = 5 * time.Minute
)

// NextWait is the number of seconds until the next poll of a job. It is in proportion to the time waited so far: between a
// second and a minute, after the first hour up to five minutes. It is at least what the API asked for, and not beyond the
// deadline.
func NextWait(waited, asked, untilDeadline time.Duration) int {
	wait := min(max(waited/share, minWait), maxWait)
	wait = max(wait, min(waited/longShare, longMaxWait))
	wait = max(wait, asked)
	wait = min(wait, max(untilDeadline, minWait))
	return int((wait + time.Second - 1) / time.Second) // a Wait state takes whole seconds
}

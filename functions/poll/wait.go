package main

import "time"

const (
	minWait = time.Second
	maxWait = time.Minute
	// share of the time waited so far that the next wait takes: a job is seen to have ended at most this much later
	// than it did, and a job of an hour costs about 80 polls instead of 1200.
	share = 6
)

// nextWait is the number of seconds until the next poll: in proportion to the time waited so far, between a second
// and a minute, at least what the API asked for, and not beyond the deadline.
func nextWait(waited, asked, untilDeadline time.Duration) int {
	wait := min(max(waited/share, minWait), maxWait)
	wait = max(wait, asked)
	wait = min(wait, max(untilDeadline, minWait))
	return int((wait + time.Second - 1) / time.Second) // a Wait state takes whole seconds
}

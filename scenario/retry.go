package scenario

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	baseBackoff = 250 * time.Millisecond
	// maxRetryAfter is the longest Retry-After that is believed, so that sums of durations cannot overflow.
	maxRetryAfter = 365 * 24 * time.Hour
)

// wait sleeps before attempt+1 and reports whether there is to be one. Not if the attempts are used up, nor if the wait
// would be longer than allowed or end after the context's deadline: the caller can make better use of that time.
func (c *Client) wait(ctx context.Context, attempt int, retryAfter time.Duration) bool {
	if attempt >= c.options.MaxAttempts || retryAfter > c.options.MaxRetryWait {
		return false
	}
	// The jitter goes on top of what was asked for: less would be refused again.
	d := min(retryAfter+c.backoff(attempt), c.options.MaxRetryWait)
	if deadline, ok := ctx.Deadline(); ok && c.now().Add(d).After(deadline) {
		return false
	}
	return c.sleep(ctx, d) == nil
}

// backoff is a random time below a ceiling that doubles with each attempt (full jitter): clients that failed together
// do not come back together.
func (c *Client) backoff(attempt int) time.Duration {
	ceiling := baseBackoff << min(attempt-1, 16)
	return c.random(min(ceiling, c.options.MaxRetryWait)) + 1
}

// parseRetryAfter reads both forms of Retry-After (RFC 9110, 10.2.3): seconds, or a date, which counts from the
// answer's own Date where it has one, so that a difference between the clocks does not matter. 0: none, or not valid.
func parseRetryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // digits that do not fit are still a number
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

package transfer

import (
	"context"
	"errors"
	"time"
)

var errCheckpoint = errors.New("the deadline is near")

// deadline is when a Run stops, for the next one to continue. Zero times: never.
type deadline struct {
	soft time.Time // no new range from here on
	hard time.Time // nothing in flight from here on
}

func deadlineOf(ctx context.Context, before time.Duration) deadline {
	end, ok := ctx.Deadline()
	if !ok {
		return deadline{}
	}
	margin := min(before, time.Until(end)/2)
	return deadline{soft: end.Add(-margin), hard: end.Add(-margin * 2 / 3)}
}

// timers fire at the two times; never, when there are none.
func (d deadline) timers() (soft, hard *time.Timer) {
	if d.soft.IsZero() {
		soft, hard = time.NewTimer(time.Hour), time.NewTimer(time.Hour)
		soft.Stop()
		hard.Stop()
		return soft, hard
	}
	return time.NewTimer(time.Until(d.soft)), time.NewTimer(time.Until(d.hard))
}

func (d deadline) softPassed() bool { return !d.soft.IsZero() && time.Now().After(d.soft) }

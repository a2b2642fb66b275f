package asl

import (
	"context"
	"time"
)

// Clock is the executor's time: what Wait states and retries sleep by, and what limits tasks and executions.
type Clock interface {
	Now() time.Time
	// Sleep returns nil after d, or ctx's error as soon as it ends.
	Sleep(ctx context.Context, d time.Duration) error
	// WithTimeout is context.WithTimeout by this clock.
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// ScaledClock is the real time with durations multiplied: with Waits 0.001 a retry's minute takes 60 ms. Timeouts have
// a scale of their own because what they limit, real functions at work, gets no faster. Zero means 1.
type ScaledClock struct{ Waits, Timeouts float64 }

// Now is the real time.
func (ScaledClock) Now() time.Time { return time.Now() }

// Sleep takes d times Waits.
func (c ScaledClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(scale(d, c.Waits))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WithTimeout ends the context after d times Timeouts.
func (c ScaledClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, scale(d, c.Timeouts))
}

func scale(d time.Duration, by float64) time.Duration {
	if by == 0 {
		return d
	}
	return time.Duration(float64(d) * by)
}

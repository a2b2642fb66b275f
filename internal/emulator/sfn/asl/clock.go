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

// ScaledClock is the real time with the waits multiplied: with Waits 0.001 a retry's minute takes 60 ms. Timeouts stay
// because what they limit, real functions at work, gets no faster. Zero means 1.
type ScaledClock struct{ Waits float64 }

// Now is the real time.
func (ScaledClock) Now() time.Time { return time.Now() }

// Sleep takes d times Waits.
func (c ScaledClock) Sleep(ctx context.Context, d time.Duration) error {
	if c.Waits != 0 {
		d = time.Duration(float64(d) * c.Waits)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WithTimeout ends the context after d.
func (ScaledClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

package unpack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A part under way outlasts the error of another entry for a moment, and nothing else.
func TestOutlasting(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	for name, c := range map[string]struct {
		cause error
		lasts time.Duration
	}{
		"an error":             {&Error{Kind: KindCorrupt}, partGrace},
		"a checkpoint":         {errCheckpoint, 0},
		"a caller who gave up": {context.Canceled, 0},
		"the deadline":         {context.DeadlineExceeded, 0},
		"nothing":              {nil, limit - time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				attempt, end := outlasting(ctx, limit)
				defer end()
				time.Sleep(time.Second)
				if c.cause != nil {
					cancel(c.cause)
				}
				if c.lasts > 0 {
					time.Sleep(c.lasts - time.Nanosecond)
					synctest.Wait()
					if attempt.Err() != nil {
						t.Error("it ended too early")
					}
					time.Sleep(time.Nanosecond)
				}
				synctest.Wait()
				if attempt.Err() == nil {
					t.Error("it goes on")
				}
				if c.cause == nil && !errors.Is(attempt.Err(), context.DeadlineExceeded) {
					t.Errorf("it ended with %v", attempt.Err())
				}
			})
		})
	}
}

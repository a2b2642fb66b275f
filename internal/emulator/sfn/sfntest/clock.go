package sfntest

import (
	"context"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// limits is the clock of waits that take a thousandth of their time. It keeps the ends of executions' time limits, which
// are longer than any task's.
type limits struct {
	mu   sync.Mutex
	ends []context.CancelFunc
}

const leastOfAnExecution = 24 * time.Hour

func (*limits) Now() time.Time { return time.Now() }

func (*limits) Sleep(ctx context.Context, d time.Duration) error {
	return asl.ScaledClock{Waits: 0.001}.Sleep(ctx, d)
}

func (l *limits) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, d)
	if d >= leastOfAnExecution {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ends = append(l.ends, cancel)
	}
	return ctx, cancel
}

func (l *limits) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cancel := range l.ends {
		cancel()
	}
	l.ends = nil
}

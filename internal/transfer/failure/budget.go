package failure

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	retryTokens   = 64      // failures in a row, over all ranges, before a transfer gives up
	bytesPerToken = 1 << 20 // progress that earns one back
	maxAttempts   = 8       // of one request, without progress
	oddAttempts   = 3       // of one request that is answered oddly
	maxBackoff    = 5 * time.Second
	maxRetryAfter = 60 * time.Second // a longer wait is the caller's to make
	// maxSlow is how long a source may be too slow, without the progress that earns a token, before that is all it gives.
	maxSlow = 30 * time.Second
	// BaseBackoff is the usual first wait.
	BaseBackoff = 100 * time.Millisecond
)

// Budget bounds all retries of one transfer together: each costs a token, progress earns them back. So a source that
// fails now and then costs little, and one that fails always ends the transfer soon, whatever the number of ranges.
type Budget struct {
	base    time.Duration
	retries atomic.Int64
	slower  func() // called when the other side asks for less

	mu        sync.Mutex
	tokens    int
	earned    int64
	slowSince time.Time // zero: not slow
}

// NewBudget makes a full budget. base is the first wait's ceiling; slower, if not nil, is called whenever the other side
// asks for fewer requests.
func NewBudget(base time.Duration, slower func()) *Budget {
	return &Budget{base: base, slower: slower, tokens: retryTokens}
}

// Retries is how often something was tried again.
func (b *Budget) Retries() int64 { return b.retries.Load() }

// Earn counts n bytes of progress.
func (b *Budget) Earn(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.earned += n; b.earned >= bytesPerToken; b.earned -= bytesPerToken {
		b.tokens = min(b.tokens+1, retryTokens)
		b.slowSince = time.Time{}
	}
}

func (b *Budget) spend(e *Error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Slow {
		if b.slowSince.IsZero() {
			b.slowSince = time.Now()
		}
		if time.Since(b.slowSince) >= maxSlow {
			return false
		}
	}
	b.tokens--
	return b.tokens >= 0
}

// Wait sleeps before another attempt, or returns the error that ends them. attempt counts from 0.
func (b *Budget) Wait(ctx context.Context, e *Error, attempt int) error {
	if e.Pushback && b.slower != nil {
		b.slower()
	}
	if !e.Temporary || e.After > maxRetryAfter || attempt+1 >= maxAttempts || e.Odd && attempt+1 >= oddAttempts || !b.spend(e) {
		return e.Final()
	}
	b.retries.Add(1)
	ceiling := min(b.base<<attempt, maxBackoff)
	timer := time.NewTimer(e.After + rand.N(ceiling) + ceiling/8)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return As(e.Op, e.Kind, ctx.Err())
	}
}

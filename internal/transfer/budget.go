package transfer

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	retryTokens    = 64  // failures in a row, over all ranges, before a transfer gives up
	bytesPerToken  = mib // progress that earns one back
	maxAttempts    = 8   // of one request, without progress
	baseBackoff    = 100 * time.Millisecond
	maxBackoff     = 5 * time.Second
	maxRetryAfter  = 60 * time.Second // a longer wait is the caller's to make
	maxPauseInPart = 4 * time.Second  // S3 ends a request whose body rests for about 20 s ("RequestTimeout")
)

// budget bounds all retries of one transfer together: each costs a token, progress earns them back. So a source that
// fails now and then costs little, and one that fails always ends the transfer soon, whatever the number of ranges.
type budget struct {
	base    time.Duration
	retries atomic.Int64
	slower  func() // told when the other side asks for less

	mu     sync.Mutex
	tokens int
	earned int64
}

func newBudget(base time.Duration, slower func()) *budget {
	return &budget{base: base, slower: slower, tokens: retryTokens}
}

func (b *budget) earn(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.earned += n; b.earned >= bytesPerToken; b.earned -= bytesPerToken {
		b.tokens = min(b.tokens+1, retryTokens)
	}
}

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens--
	return b.tokens >= 0
}

// wait sleeps before another attempt, or returns the error that ends them. attempt counts from 0.
func (b *budget) wait(ctx context.Context, e *Error, attempt int) error {
	if e.pushback && b.slower != nil {
		b.slower()
	}
	if !e.temporary || e.after > maxRetryAfter || attempt+1 >= maxAttempts || !b.spend() {
		return e.final()
	}
	b.retries.Add(1)
	ceiling := min(b.base<<attempt, maxBackoff)
	timer := time.NewTimer(e.after + rand.N(ceiling) + ceiling/8)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return asError(e.Op, e.Kind, ctx.Err())
	}
}

// final is the error without the hint to try again, so that no outer loop multiplies the attempts of an inner one.
func (e *Error) final() *Error {
	f := *e
	f.temporary, f.pushback = false, false
	return &f
}

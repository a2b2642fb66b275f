package asl

import (
	"context"
	"errors"
	"sync"
)

// fan runs n pieces of work, at most limit at once, and gathers their outputs in order. The first failure ends the
// others and is the state's.
func (s *step) fan(
	kind string, n, limit int, work func(ctx context.Context, i int) (*thread, any, error),
) (any, error) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	g := gather{outputs: make([]any, n), cancel: cancel, last: s.t.prev}
	places := make(chan struct{}, max(1, limit))
	var wait sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		if ctx.Err() != nil {
			break // items that have not started leave no trace
		}
		wait.Go(func() {
			defer func() { <-places }()
			t, v, err := work(ctx, i)
			g.add(i, t, v, err)
		})
	}
	wait.Wait()
	return s.gathered(kind, &g)
}

// gather collects what the pieces of a fan come to.
type gather struct {
	mu      sync.Mutex
	outputs []any
	last    int64 // the event that the state's own events follow
	failure *Error
	other   error // an error that ends the run
	cancel  context.CancelCauseFunc
}

func (g *gather) add(i int, t *thread, v any, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var failure *Error
	switch {
	case err == nil:
		g.outputs[i] = v
		if g.failure == nil {
			g.last = max(g.last, t.prev)
		}
	case errors.Is(err, errSibling):
	case g.failure != nil || g.other != nil:
	case errors.As(err, &failure):
		g.failure, g.last = failure, t.prev
		g.cancel(errSibling)
	default:
		g.other = err
		g.cancel(err)
	}
}

func (s *step) gathered(kind string, g *gather) (any, error) {
	s.t.prev = g.last
	switch {
	case s.ctx.Err() != nil:
		return nil, context.Cause(s.ctx)
	case g.other != nil:
		return nil, g.other
	case g.failure != nil:
		if err := s.r.record(s.t, EventType(kind+"StateFailed"), Details{}, nil); err != nil {
			return nil, err
		}
		return nil, g.failure
	}
	return g.outputs, s.r.record(s.t, EventType(kind+"StateSucceeded"), Details{}, nil)
}

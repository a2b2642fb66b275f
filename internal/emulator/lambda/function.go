package lambda

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// function is one function with its processes. The slots bound how many invocations run at once, and so how many
// processes there are: a process is either idle here or belongs to the one invocation that holds a slot.
type function struct {
	Function
	service *Service
	slots   chan struct{}

	mu     sync.Mutex
	closed bool
	idle   []*environment // the most recently used is last, and taken first: the others grow old and go
	all    map[*environment]struct{}
}

func newFunction(s *Service, f Function) *function {
	return &function{Function: f, service: s, slots: make(chan struct{}, f.Concurrency), all: map[*environment]struct{}{}}
}

// invoke waits for a slot and runs the invocation on a goroutine of its own, because it goes on when the caller leaves.
func (f *function) invoke(ctx context.Context, payload []byte) answer {
	if err := f.acquire(ctx); err != nil {
		return answer{err: err}
	}
	done := make(chan answer, 1)
	go func() {
		defer f.release()
		done <- f.run(payload)
	}()
	select {
	case a := <-done:
		return a
	case <-ctx.Done():
		return answer{err: ctx.Err()}
	}
}

func (f *function) acquire(ctx context.Context) error {
	limit := time.NewTimer(f.service.options.QueueTime)
	defer limit.Stop()
	select {
	case f.slots <- struct{}{}:
	case <-limit.C:
		return &Error{"TooManyRequestsException", "Rate Exceeded."}
	case <-ctx.Done():
		return ctx.Err()
	case <-f.service.life.Done():
		return ErrClosed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		<-f.slots
		return ErrClosed
	}
	f.service.running.Add(1) // under the lock that close takes, so never after its Wait has started
	return nil
}

func (f *function) release() {
	<-f.slots
	f.service.running.Done()
}

// run gives the payload to a process until one has taken it. A warm process may turn out to have died since its last
// invocation; then the payload was not taken, and a fresh process gets it.
func (f *function) run(payload []byte) answer {
	inv := newInvocation(f.service.ARN(f.Name), payload)
	for {
		e, warm := f.takeIdle()
		if !warm {
			var err error
			if e, err = f.start(); err != nil {
				return failure("Runtime.InvalidEntrypoint", inv.id, err.Error())
			}
		}
		a := e.serve(inv, !warm)
		switch {
		case a.err == errNotTaken && warm:
			continue
		case a.err == errNotTaken:
			return e.exited(inv)
		case a.err == nil && e.alive():
			f.putIdle(e)
		}
		return a
	}
}

func (f *function) provision(ctx context.Context) (time.Duration, error) {
	if err := f.acquire(ctx); err != nil {
		return 0, err
	}
	defer f.release()
	e, err := f.start()
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, e.kill)
	defer stop()
	failed := e.awaitInit(newInvocation(f.service.ARN(f.Name), nil))
	took := time.Since(e.started)
	if failed != nil {
		return took, cmp.Or(failed.err, errors.New(string(failed.body)))
	}
	f.putIdle(e)
	return took, nil
}

func (f *function) takeIdle() (*environment, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		e := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		e.expiry.Stop()
		if e.alive() {
			return e, true
		}
	}
	return nil, false
}

func (f *function) putIdle(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.expiry = time.AfterFunc(f.service.options.IdleTime, func() { f.retire(e) })
	f.idle = append(f.idle, e)
}

// retire ends a process that nobody has needed for long, unless it was taken at the last moment.
func (f *function) retire(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.idle, e); i >= 0 {
		f.idle = slices.Delete(f.idle, i, i+1)
		e.kill()
	}
}

func (f *function) start() (*environment, error) {
	e, err := startEnvironment(f)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[e] = struct{}{}
	if f.closed {
		e.kill() // close did not see it
	}
	go func() {
		e.clean()
		f.mu.Lock()
		delete(f.all, e)
		f.mu.Unlock()
		close(e.gone)
	}()
	return e, nil
}

func (f *function) environments() []*environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.all))
}

func (f *function) killAll() {
	list := f.environments()
	for _, e := range list {
		e.kill()
	}
	for _, e := range list {
		<-e.gone
	}
}

func (f *function) close() {
	f.mu.Lock()
	f.closed = true
	for _, e := range f.idle {
		e.expiry.Stop()
	}
	f.mu.Unlock()
	f.killAll()
}

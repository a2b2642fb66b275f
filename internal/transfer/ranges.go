package transfer

import (
	"context"
	"errors"
	"time"
)

// mover sends all parts of an archive from a source with ranges. One goroutine decides; the others each move a part.
type mover struct {
	r        *run
	u        *upload
	throttle *throttle
	first    *probe // part 1's answer, until it is used

	results  chan moved
	next     int // the number to look at next
	inFlight int
	free     [][]byte // buffers, when parts do not stream
	stopping bool
	err      error // the first real cause; those that follow from cancelling do not replace it
	cancel   context.CancelCauseFunc
}

type moved struct {
	number int
	part   part
	buf    []byte
	err    error
}

func (r *run) inRanges(ctx context.Context, p *probe, cond condition) (Result, error) {
	l, err := newLayout(r.src.ident.Size, r.t.opt.PartSize)
	if err != nil {
		return Result{}, err
	}
	u, err := r.openUpload(ctx, l)
	if err != nil {
		return Result{}, err
	}
	r.stats.Parts = len(u.parts)
	r.stats.Resumed, r.stats.ResumedBytes = u.done()
	r.moved.Store(r.stats.ResumedBytes)

	moveCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The directory is read while the parts move: an archive that is cut short is found out early.
	verified := make(chan error, 1)
	go func() {
		_, err := attemptZIP(moveCtx, r.budget, "read source", r.src.opener(), r.src.ident.Size)
		verified <- err
	}()
	m := &mover{
		r: r, u: u, throttle: newThrottle(r.inFlightLimit(u.layout)), first: p, results: make(chan moved), next: 1, cancel: cancel,
	}
	finished, err := m.move(moveCtx, verified)
	if err != nil {
		return Result{}, err
	}
	if !finished {
		return r.unfinished(u), nil
	}
	return r.finish(ctx, u, cond)
}

// inFlightLimit is what the options' memory allows.
func (r *run) inFlightLimit(l layout) int {
	each := streamMemory
	if !r.t.streaming {
		each = max(l.part, l.first)
	}
	return int(max(1, min(int64(r.t.opt.Concurrency), r.t.opt.MaxMemory/each)))
}

// move returns when all parts are in S3 and the directory is verified, or the deadline is near, or something failed
// for good. Nothing of it is under way any more then.
func (m *mover) move(ctx context.Context, verified <-chan error) (finished bool, err error) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	soft, hard := m.r.timers()
	defer soft.Stop()
	defer hard.Stop()
	last, reported, lastBytes := time.Now(), time.Time{}, m.r.moved.Load()
	checked := false
	for {
		m.startMore(ctx)
		if m.inFlight == 0 && (checked || m.stopping || m.err != nil) {
			if !checked {
				m.cancel(errCheckpoint)
				<-verified
			}
			m.r.progress(0)
			return m.err == nil && checked && m.nothingLeft(), m.err
		}
		select {
		case res := <-m.results:
			m.take(res)
		case err := <-verified:
			checked = true
			m.fail(err)
			verified = nil
		case <-m.r.slower:
			m.throttle.pushedBack()
		case now := <-tick.C:
			bytes := m.r.moved.Load()
			m.throttle.observe(bytes-lastBytes, now.Sub(last), m.inFlight >= m.throttle.limit)
			last, lastBytes = now, bytes
			if now.Sub(reported) >= m.r.t.opt.ProgressInterval {
				m.r.progress(m.inFlight)
				reported = now
			}
		case <-soft.C:
			m.stopping = true
		case <-hard.C:
			m.cancel(errCheckpoint)
		}
	}
}

// timers fire at the run's deadlines; never, when there are none.
func (r *run) timers() (soft, hard *time.Timer) {
	if r.soft.IsZero() {
		soft, hard = time.NewTimer(time.Hour), time.NewTimer(time.Hour)
		soft.Stop()
		hard.Stop()
		return soft, hard
	}
	return time.NewTimer(time.Until(r.soft)), time.NewTimer(time.Until(r.hard))
}

func (m *mover) startMore(ctx context.Context) {
	for m.inFlight < m.throttle.limit && !m.stopping && m.err == nil {
		for m.next <= len(m.u.parts) && m.u.parts[m.next-1].done {
			m.next++
		}
		if m.next > len(m.u.parts) {
			return
		}
		m.start(ctx, m.next)
		m.next++
	}
}

func (m *mover) start(ctx context.Context, number int) {
	first := m.first
	m.first = nil
	if number != 1 && first != nil {
		first.conn.Close()
		first = nil
	}
	buf := m.buffer()
	m.inFlight++
	m.r.stats.Peak = max(m.r.stats.Peak, m.inFlight)
	go func() {
		p, err := m.r.movePart(ctx, m.u, number, first, buf)
		m.results <- moved{number, p, buf, err}
	}()
}

func (m *mover) buffer() []byte {
	if m.r.t.streaming {
		return nil
	}
	if n := len(m.free); n > 0 {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	return make([]byte, max(m.u.layout.part, m.u.layout.first))
}

func (m *mover) take(res moved) {
	m.inFlight--
	if res.buf != nil {
		m.free = append(m.free, res.buf)
	}
	if res.err != nil {
		m.fail(res.err)
		return
	}
	m.u.parts[res.number-1] = res.part
}

// fail ends the others. What they then report is no cause.
func (m *mover) fail(err error) {
	if err == nil || m.err != nil {
		return
	}
	var e *Error
	if m.stopping && errors.As(err, &e) && e.Kind == KindCanceled {
		return // dropped at the deadline
	}
	m.err = err
	m.cancel(err)
}

func (m *mover) nothingLeft() bool {
	done, _ := m.u.done()
	return done == len(m.u.parts)
}

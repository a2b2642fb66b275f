package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// rangeMover sends all parts of an archive from a source with ranges. One goroutine decides; the others each move a part.
type rangeMover struct {
	*work
	u        *upload
	throttle *throttle
	first    *source.Answer // part 1's, until it is used

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

// inRanges moves the archive in ranges, side by side. b is part 1's answer.
func (r *run) inRanges(ctx context.Context, b *source.Beginning, cond condition) (Result, error) {
	ident := r.src.Identity()
	l, err := newLayout(ident.Size, r.opt.PartSize)
	if err != nil {
		return Result{}, err
	}
	u, err := r.uploads.open(ctx, ident, l, false)
	if errors.Is(err, errOtherSource) { // one node of a CDN may answer otherwise than another: the bytes decide
		return Result{}, &Error{Op: "resume upload", Kind: KindChanged, Err: fmt.Errorf("%w: %w", source.ErrRangesUnusable, err)}
	}
	if err != nil {
		return Result{}, err
	}
	resumed, bytes := u.done()
	r.meter.begin(ident.Size, len(u.parts), resumed, bytes)

	moveCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The directory is read while the parts move: an archive that is cut short is found out early.
	verified := make(chan error, 1)
	go func() {
		_, err := attemptZIP(moveCtx, r.budget, "read source", r.rangeOpener(), ident.Size, r.store.o)
		verified <- err
	}()
	m := &rangeMover{
		work: r.work, u: u, throttle: newThrottle(r.inFlightLimit(u.layout)), first: b.Answer, results: make(chan moved), next: 1, cancel: cancel,
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

// rangeOpener reads ranges of the source.
func (w *work) rangeOpener() opener {
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return newRangeReader(ctx, w.src, w.budget, off, off+n, func(int64) {}), nil
	}
}

// inFlightLimit is what the options' memory allows.
func (w *work) inFlightLimit(l layout) int {
	each := streamMemory
	if !w.streaming {
		each = max(l.part, l.first)
	}
	return int(max(1, min(int64(w.opt.Concurrency), w.opt.MaxMemory/each)))
}

// move returns when all parts are in S3 and the directory is verified, or the deadline is near, or something failed
// for good. Nothing of it is under way any more then.
func (m *rangeMover) move(ctx context.Context, verified <-chan error) (finished bool, err error) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	soft, hard := m.deadline.timers()
	defer soft.Stop()
	defer hard.Stop()
	last, lastBytes := time.Now(), m.meter.load()
	checked := false
	for {
		m.startMore(ctx)
		if m.inFlight == 0 && (checked || m.stopping || m.err != nil) {
			if !checked {
				m.cancel(errCheckpoint)
				<-verified
			}
			m.meter.now(0)
			return m.err == nil && checked && m.nothingLeft(), m.err
		}
		select {
		case res := <-m.results:
			m.take(res)
		case err := <-verified:
			checked = true
			m.fail(err)
			verified = nil
		case <-m.slower:
			m.throttle.pushedBack()
		case now := <-tick.C:
			bytes := m.meter.load()
			m.throttle.observe(bytes-lastBytes, now.Sub(last), m.inFlight >= m.throttle.limit)
			last, lastBytes = now, bytes
			m.meter.tick(now, m.inFlight)
		case <-soft.C:
			m.stopping = true
		case <-hard.C:
			m.cancel(errCheckpoint)
		}
	}
}

func (m *rangeMover) startMore(ctx context.Context) {
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

func (m *rangeMover) start(ctx context.Context, number int) {
	first := m.first
	m.first = nil
	if number != 1 && first != nil {
		first.Close()
		first = nil
	}
	buf := m.buffer()
	m.inFlight++
	m.meter.peak(m.inFlight)
	go func() {
		p, err := m.movePart(ctx, number, first, buf)
		m.results <- moved{number, p, buf, err}
	}()
}

func (m *rangeMover) buffer() []byte {
	if m.streaming {
		return nil
	}
	if n := len(m.free); n > 0 {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	return make([]byte, max(m.u.layout.part, m.u.layout.first))
}

func (m *rangeMover) take(res moved) {
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
func (m *rangeMover) fail(err error) {
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

func (m *rangeMover) nothingLeft() bool {
	done, _ := m.u.done()
	return done == len(m.u.parts)
}

// movePart brings part number from the source to S3, however often it has to ask. buf is nil when parts stream.
func (m *rangeMover) movePart(ctx context.Context, number int, first *source.Answer, buf []byte) (part, error) {
	for n := 0; ; n++ {
		var passed int64
		p, err := m.tryPart(ctx, number, first, buf, func(b int64) {
			passed += b
			m.meter.add(b)
			m.budget.Earn(b)
		})
		if err == nil {
			return p, nil
		}
		first = nil
		m.meter.add(-passed)
		if err := m.budget.Wait(ctx, failure.As("send part", KindStorageUnavailable, err), n); err != nil {
			return part{}, err
		}
	}
}

func (m *rangeMover) tryPart(ctx context.Context, number int, first *source.Answer, buf []byte, moved func(int64)) (part, error) {
	from, to := m.u.layout.bounds(number)
	body := newRangeReader(ctx, m.src, m.budget, from, to, moved)
	defer body.Close()
	if first != nil {
		body.attach(first)
	} else if err := body.connect(); err != nil {
		return part{}, err
	}
	if buf != nil {
		if _, err := io.ReadFull(body, buf[:to-from]); err != nil {
			return part{}, err
		}
		return m.store.sendBuffer(ctx, m.u.id, number, buf[:to-from], body.crcSoFar())
	}
	return m.store.sendStream(ctx, m.u.id, number, to-from, body)
}

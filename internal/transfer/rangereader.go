package transfer

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// rangeReader is the body of a part: a range of the source, checked and summed as it passes. A connection that is cut,
// stalls or drips is replaced by one for the bytes that are missing, so that S3 sees one unbroken body.
//
// The HTTP client may still be reading when the call that it served has returned: Close ends and waits for that.
type rangeReader struct {
	src    *source
	budget *budget
	moved  func(int64)
	ctx    context.Context
	cancel context.CancelFunc
	rest   *restTimer // runs while S3 takes nothing; nil: nobody minds

	mu       sync.Mutex
	conn     *connection
	body     io.Reader // conn, or what was read ahead of it and then conn
	off, end int64
	crc      uint64
	failures int   // in a row, without a byte between them
	err      error // why the source ended for good
}

func newRangeReader(ctx context.Context, src *source, b *budget, from, to int64, moved func(int64)) *rangeReader {
	ctx, cancel := context.WithCancel(ctx)
	return &rangeReader{src: src, budget: b, ctx: ctx, cancel: cancel, off: from, end: to, moved: moved}
}

// attach uses an answer that is already open at this range's start.
func (r *rangeReader) attach(p *probe) {
	r.conn, r.body = p.conn, p.body
	context.AfterFunc(r.ctx, func() { p.conn.cancel(context.Canceled) }) // it was opened with another context
}

// connect opens the source, so that its refusal is known before S3 is asked for anything.
func (r *rangeReader) connect() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.conn == nil {
		conn, err := r.src.open(r.ctx, r.off, r.end)
		if err != nil {
			if err := r.failed(err); err != nil {
				return err
			}
			continue
		}
		r.conn, r.body = conn, conn
	}
	return nil
}

func (r *rangeReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rest.stop()
	defer r.rest.start()
	for r.err == nil {
		if r.off == r.end {
			return 0, io.EOF
		}
		if r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		if n := r.readSome(p); n > 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// readSome reads once, connecting first if need be. 0 means: look at r.err, then try again.
func (r *rangeReader) readSome(p []byte) int {
	if r.conn == nil {
		conn, err := r.src.open(r.ctx, r.off, r.end)
		if err != nil {
			_ = r.failed(err)
			return 0
		}
		r.conn, r.body = conn, conn
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.end-r.off)])
	if n > 0 {
		r.crc = crcUpdate(r.crc, p[:n])
		r.off += int64(n)
		r.failures = 0
		r.moved(int64(n))
	}
	if r.off == r.end {
		r.finishConn()
		return n
	}
	if err != nil {
		r.conn.Close()
		r.conn, r.body = nil, nil
		if err == io.EOF {
			err = fmt.Errorf("the answer ended %d bytes early", r.end-r.off)
		}
		_ = r.failed(err)
	}
	return n
}

// finishConn reads the end of a complete answer, so that its connection can be used again.
func (r *rangeReader) finishConn() {
	var one [1]byte
	_, _ = r.body.Read(one[:])
	r.conn.Close()
	r.conn, r.body = nil, nil
}

// failed waits before another connection. An error that stays is kept: it is the reason, whatever S3 says then.
func (r *rangeReader) failed(err error) error {
	if r.ctx.Err() != nil {
		r.err = asError("read source", KindSourceUnavailable, r.ctx.Err())
		return r.err
	}
	e := asError("read source", KindSourceUnavailable, err)
	if e.after > maxPauseInPart {
		r.err = e
		return e
	}
	if err := r.budget.wait(r.ctx, e, r.failures); err != nil {
		r.err = err
		return err
	}
	r.failures++
	return nil
}

// Close ends the reading and waits for a Read that is under way.
func (r *rangeReader) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		r.conn.Close()
		r.conn, r.body = nil, nil
	}
	return nil
}

// sum is the checksum and whether all bytes passed. Call it after Close.
func (r *rangeReader) sum() (crc uint64, complete bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crc, r.off == r.end, r.err
}

// crcSoFar is for the trailer, which is asked for when the last byte has passed.
func (r *rangeReader) crcSoFar() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crc
}

// restTimer fires when the reader of a body rests for too long, which is how a stalled S3 shows.
type restTimer struct {
	timer *time.Timer
	limit time.Duration
}

func newRestTimer(limit time.Duration, fire func()) *restTimer {
	return &restTimer{time.AfterFunc(limit, fire), limit}
}

func (t *restTimer) stop() {
	if t != nil {
		t.timer.Stop()
	}
}

func (t *restTimer) start() {
	if t != nil {
		t.timer.Reset(t.limit)
	}
}

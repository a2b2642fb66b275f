package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// maxPauseInPart: S3 ends a request whose body rests for about 20 s ("RequestTimeout").
const maxPauseInPart = 4 * time.Second

// rangeReader is the body of a part: a range of the source, checked and summed as it passes. A connection that is cut,
// stalls or drips is replaced by one for the bytes that are missing, so that S3 sees one unbroken body.
//
// The HTTP client may still be reading when the call that it served has returned: Close ends and waits for that.
type rangeReader struct {
	src    *source.Source
	budget *failure.Budget
	moved  func(int64)
	ctx    context.Context
	cancel context.CancelFunc
	rest   *restTimer // runs while S3 takes nothing; nil: nobody minds

	mu       sync.Mutex
	answer   *source.Answer
	from     int64 // where the answer began
	off, end int64
	crc      uint64
	failures int   // in a row, without a byte between them
	err      error // why the source ended for good
}

// minAnswer is how many bytes an answer must bring that says that it ends before the range does: some caches give that
// much of each range at most. Less is a failure.
const minAnswer = 64 * kib

func newRangeReader(ctx context.Context, src *source.Source, b *failure.Budget, from, to int64, moved func(int64)) *rangeReader {
	ctx, cancel := context.WithCancel(ctx)
	return &rangeReader{src: src, budget: b, ctx: ctx, cancel: cancel, off: from, end: to, moved: moved}
}

// attach uses an answer that is already open at this range's start.
func (r *rangeReader) attach(a *source.Answer) {
	r.answer, r.from = a, r.off
	context.AfterFunc(r.ctx, a.Cancel) // it was opened with another context
}

// connect opens the source, so that its refusal is known before S3 is asked for anything.
func (r *rangeReader) connect() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.answer == nil {
		if !r.open() && r.err != nil {
			return r.err
		}
	}
	return nil
}

// open asks for what is left of the range.
func (r *rangeReader) open() bool {
	answer, err := r.src.Range(r.ctx, r.off, r.end)
	if err != nil {
		r.failed(err)
		return false
	}
	r.answer, r.from = answer, r.off
	return true
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
	if r.answer == nil && !r.open() {
		return 0
	}
	n, err := r.answer.Read(p[:min(int64(len(p)), r.answer.End-r.off)])
	if n > 0 {
		r.crc = crc64nvme.Update(r.crc, p[:n])
		r.off += int64(n)
		r.failures = 0
		r.moved(int64(n))
	}
	switch {
	case r.off == r.answer.End:
		r.finishAnswer()
	case err != nil:
		r.closeAnswer()
		if err == io.EOF {
			err = fmt.Errorf("the answer ended %d bytes early", r.end-r.off)
		}
		r.failed(err)
	}
	return n
}

// finishAnswer reads the end of a complete answer, so that its connection can be used again. One that goes on after it is
// not believed.
func (r *rangeReader) finishAnswer() {
	var one [1]byte
	n, _ := r.answer.Read(one[:])
	r.closeAnswer()
	switch {
	case n > 0: // the part has to begin again: its bytes have passed
		e := &Error{Op: "read source", Kind: KindSourceUnavailable, Temporary: true, Odd: true, Reason: "an answer is longer than it says"}
		r.err = e
		if unusable := r.src.Unusable(r.ctx, e); unusable != nil {
			r.err = unusable
		}
	case r.off < r.end && r.off-r.from < minAnswer:
		r.failed(fmt.Errorf("an answer had %d bytes", r.off-r.from))
	}
}

func (r *rangeReader) closeAnswer() {
	r.answer.Close()
	r.answer = nil
}

// failed waits before another connection. An error that stays is kept: it is the reason, whatever S3 says then. Where the
// source would serve everything but ranges, that is the reason.
func (r *rangeReader) failed(err error) {
	if r.ctx.Err() != nil {
		r.err = failure.As("read source", KindSourceUnavailable, r.ctx.Err())
		return
	}
	e := failure.As("read source", KindSourceUnavailable, err)
	if e.After > maxPauseInPart {
		r.err = e
		return
	}
	doubtful := source.PlainMayHelp(e, r.failures)
	if !doubtful {
		if r.err = r.budget.Wait(r.ctx, e, r.failures); r.err == nil {
			r.failures++
			return
		}
		if errors.As(r.err, &e); e.Kind == KindCanceled {
			return
		}
	}
	if unusable := r.src.Unusable(r.ctx, e); unusable != nil {
		r.err = unusable
		return
	}
	if doubtful {
		r.err = r.budget.Wait(r.ctx, e, r.failures)
		r.failures++
	}
}

// Close ends the reading and waits for a Read that is under way.
func (r *rangeReader) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer != nil {
		r.closeAnswer()
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

package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// keptTail is how much of the end of an archive is kept for reading its directory: some ten thousand entries. A larger
// directory of a source without ranges is read by a second request for the whole.
const keptTail = 2 * mib

// orderMover moves an archive whose source serves no ranges, or none that could be pinned: read in order into a few
// buffers, which are sent side by side. After a break everything is read again; parts that S3 has are compared by their
// checksums instead of being sent, so that two different archives are never joined.
type orderMover struct {
	*work
	u       *upload
	free    chan []byte
	results chan moved
	flying  int
	sent    int // parts sent in this run
	tail    tailBuffer
	known   int64 // bytes read at most so far; what is beyond is progress
}

// body is an answer with the whole archive, and what has been read of it already before it.
type body struct {
	io.Reader
	answer *source.Answer
}

const wholeAttempts = 3 // an archive that says no size is read so often before it is called corrupt

// inOrder moves the archive as one answer brings it: first, and others where it breaks off.
func (r *run) inOrder(ctx context.Context, first *body, cond condition) (Result, error) {
	ident := r.src.Identity()
	l, err := r.inOrderLayout(ident.Size)
	if err != nil {
		return Result{}, err
	}
	u, err := r.uploads.open(ctx, ident, l, true)
	if err != nil {
		return Result{}, err
	}
	resumed, bytes := u.done()
	r.meter.begin(ident.Size, 0, resumed, bytes)
	m := &orderMover{work: r.work, u: u, free: make(chan []byte, inOrderBuffers), results: make(chan moved)}
	for range r.buffersFor(u.layout) {
		m.free <- nil // allocated when first used
	}
	for n := 0; ; n++ {
		size, err := m.move(ctx, first)
		if errors.Is(err, errCheckpoint) {
			return m.checkpoint()
		}
		if err != nil {
			return Result{}, err
		}
		r.meter.stats.Parts = len(u.parts)
		_, err = attemptZIP(ctx, r.budget, "read source", m.opener(size), size, r.store.o)
		if err == nil {
			return r.finish(ctx, u, cond)
		}
		if ident.Size >= 0 || n+1 == wholeAttempts {
			return Result{}, err
		}
		if err := r.budget.Wait(ctx, failure.As("read source", KindCorrupt, again(err)), n); err != nil {
			return Result{}, err
		}
		first = nil
		m.dropEnd()
	}
}

// dropEnd forgets the last part if it is a short one: where the archive was thought to end, it may go on.
func (m *orderMover) dropEnd() {
	if n := len(m.u.parts); n > 0 && m.u.parts[n-1].size < m.u.layout.length(n) {
		m.u.parts = m.u.parts[:n-1]
	}
}

func (w *work) buffersFor(l layout) int {
	return int(min(inOrderBuffers, max(1, w.opt.MaxMemory/max(l.part, l.first))))
}

func (w *work) inOrderLayout(size int64) (layout, error) {
	if size < 0 {
		return layout{size: -1, first: firstRange, part: inOrderPart}, nil
	}
	l, err := newLayout(size, w.opt.PartSize)
	if err == nil && l.part > w.opt.MaxMemory {
		err = &Error{Op: "plan", Kind: KindTooLarge, Advice: "Give the transfer function more memory, or ask for fewer assets",
			Reason: fmt.Sprintf("the source serves no ranges, and a part of %d bytes does not fit into the memory given (%d)",
				l.part, w.opt.MaxMemory)}
	}
	return l, err
}

func (m *orderMover) checkpoint() (Result, error) {
	if m.sent == 0 && m.meter.stats.Resumed > 0 {
		return Result{}, &Error{Op: "read source", Kind: KindTooLarge,
			Reason: "the source serves no ranges, and one run is too short to read past what S3 has already"}
	}
	return m.unfinished(m.u), nil
}

// move reads until the end, from the beginning again after each break, and returns the archive's size.
func (m *orderMover) move(ctx context.Context, in *body) (size int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !m.deadline.hard.IsZero() {
		defer time.AfterFunc(time.Until(m.deadline.hard), func() { cancel(errCheckpoint) }).Stop()
	}
	var cause error
	for failures := 0; ; {
		if in == nil {
			if in, err = m.reopen(ctx, cause, &failures); err != nil {
				return 0, err
			}
		}
		before := m.known
		unhook := context.AfterFunc(ctx, in.answer.Cancel)
		size, err = m.readAll(ctx, in)
		unhook()
		in.answer.Close()
		in = nil
		if e := m.drain(cancel, err); context.Cause(ctx) == errCheckpoint {
			return 0, errCheckpoint
		} else if e != nil {
			return 0, e
		}
		if err == nil {
			return size, nil
		}
		if m.known > before {
			failures = 0
		}
		cause = err
	}
}

// drain waits for the parts under way. Their first error is the cause; reading's own is left to the caller if another
// attempt may heal it.
func (m *orderMover) drain(cancel context.CancelCauseFunc, readErr error) error {
	var first error
	var e *Error
	if errors.As(readErr, &e) && !e.Temporary {
		first = readErr
		if !errors.Is(readErr, errCheckpoint) {
			cancel(readErr)
		}
	}
	for m.flying > 0 {
		if err := m.take(<-m.results); err != nil && first == nil {
			first = err
			cancel(err)
		}
	}
	return first
}

// reopen asks for the whole archive. cause is why an earlier answer was not enough; nil when there was none.
func (m *orderMover) reopen(ctx context.Context, cause error, failures *int) (*body, error) {
	for {
		if cause != nil {
			if err := m.budget.Wait(ctx, failure.As("read source", KindSourceUnavailable, cause), *failures); err != nil {
				return nil, checkpointOr(ctx, err)
			}
			*failures++
		}
		answer, err := m.src.Whole(ctx)
		if err == nil {
			m.tail = tailBuffer{}
			m.meter.moved.Store(0)
			return &body{answer, answer}, nil
		}
		cause = err
	}
}

func checkpointOr(ctx context.Context, err error) error {
	if context.Cause(ctx) == errCheckpoint {
		return errCheckpoint
	}
	return err
}

// readAll reads the archive once, from its first byte, and returns its size.
func (m *orderMover) readAll(ctx context.Context, body io.Reader) (int64, error) {
	var pos int64
	for number := 1; ; number++ {
		if m.u.layout.size >= 0 && pos == m.u.layout.size {
			return pos, m.expectEnd(body)
		}
		if number > maxDataParts {
			return 0, &Error{Op: "read source", Kind: KindTooLarge,
				Reason: fmt.Sprintf("more than %d bytes from a source that says no length and serves no ranges", pos)}
		}
		buf, err := m.buffer(ctx)
		if err != nil {
			return 0, err
		}
		n, err := io.ReadFull(body, buf[:m.u.layout.length(number)])
		data := buf[:n]
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && (!ended || m.u.layout.size >= 0) {
			m.free <- buf
			return 0, breakOff(err)
		}
		m.tail.write(data)
		pos += int64(n)
		if pos > m.known {
			m.budget.Earn(pos - m.known)
			m.known = pos
		}
		m.meter.add(int64(n))
		if err := m.hand(ctx, number, buf, data); err != nil {
			return 0, err
		}
		if ended {
			return pos, m.cut(number, n)
		}
	}
}

func breakOff(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("the answer ended early")
	}
	return failure.As("read source", KindSourceUnavailable, err)
}

// expectEnd: a source that sends more than it said is not believed.
func (m *orderMover) expectEnd(body io.Reader) error {
	var one [1]byte
	if n, _ := body.Read(one[:]); n > 0 {
		return failure.New("read source", KindChanged, "it has more bytes than it said")
	}
	return nil
}

// cut ends the list of parts at the last one that holds something.
func (m *orderMover) cut(number, n int) error {
	if n == 0 {
		number--
	}
	if len(m.u.parts) > number {
		for _, p := range m.u.parts[number:] {
			if p.done {
				return failure.New("read source", KindChanged, "it ends earlier than before")
			}
		}
		m.u.parts = m.u.parts[:number]
	}
	return nil
}

// buffer waits for a free one, and notes the parts that come home meanwhile.
func (m *orderMover) buffer(ctx context.Context) ([]byte, error) {
	for {
		if m.deadline.softPassed() {
			return nil, &Error{Op: "read source", Kind: KindCanceled, Err: errCheckpoint}
		}
		select {
		case b := <-m.free:
			if b == nil {
				b = make([]byte, max(m.u.layout.part, m.u.layout.first))
			}
			return b, nil
		case res := <-m.results:
			if err := m.take(res); err != nil {
				return nil, failure.As("send part", KindStorageUnavailable, err).Final()
			}
		case <-ctx.Done():
			return nil, failure.As("read source", KindCanceled, ctx.Err()).Final()
		}
	}
}

// hand compares a part with what S3 has of it, or sends it.
func (m *orderMover) hand(ctx context.Context, number int, buf, data []byte) error {
	for len(m.u.parts) < number {
		m.u.parts = append(m.u.parts, part{})
	}
	crc := crc64nvme.Update(0, data)
	if have := m.u.parts[number-1]; have.size > 0 || len(data) == 0 {
		m.free <- buf
		if len(data) > 0 && (have.crc != crc || have.size != int64(len(data))) {
			return failure.New("read source", KindChanged, "part %d has other bytes than before", number)
		}
		return nil
	}
	// Noted before S3 has it: when the source breaks off and is read again, the part is compared and not sent twice.
	m.u.parts[number-1] = part{crc: crc, size: int64(len(data))}
	m.flying++
	m.meter.peak(m.flying)
	m.meter.now(m.flying)
	go func() {
		p, err := m.send(ctx, number, data, crc)
		m.results <- moved{number, p, buf, err}
	}()
	return nil
}

func (m *orderMover) send(ctx context.Context, number int, data []byte, crc uint64) (part, error) {
	for n := 0; ; n++ {
		p, err := m.store.sendBuffer(ctx, m.u.id, number, data, crc)
		if err == nil {
			return p, nil
		}
		if err := m.budget.Wait(ctx, failure.As("send part", KindStorageUnavailable, err), n); err != nil {
			return part{}, err
		}
	}
}

func (m *orderMover) take(res moved) error {
	m.flying--
	m.free <- res.buf
	if res.err != nil {
		m.u.parts[res.number-1] = part{}
		return res.err
	}
	m.u.parts[res.number-1] = res.part
	m.sent++
	return nil
}

// opener reads from the end that was kept, or else from the whole once more.
func (m *orderMover) opener(size int64) opener {
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		if b, ok := m.tail.at(off, n, size); ok {
			return b, nil
		}
		conn, err := m.src.Whole(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(io.Discard, conn, off); err != nil {
			conn.Close()
			return nil, breakOff(err)
		}
		return conn, nil
	}
}

package unpack

import (
	"bufio"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// write is an object in memory that is to be written.
type write struct {
	e       *entry
	content []byte
	done    func() // the content is no longer needed
}

// unpackGroup reads a group and hands its objects to the writers. A large entry, always alone in its group, is written here.
func (r *run) unpackGroup(ctx context.Context, g group, writes chan<- write) error {
	if first := &g.entries[0]; first.size > slabSize {
		return r.unpackLarge(ctx, g, first)
	}
	in := &input{r: r, ctx: ctx, end: g.end, limit: g.end}
	defer in.close()
	slab, err := r.slab(ctx, slabSize)
	if err != nil {
		return err
	}
	var left atomic.Int64
	left.Store(int64(len(g.entries)) + 1)
	done := func() {
		if left.Add(-1) == 0 {
			r.release(slab)
		}
	}
	defer done()
	free := slab
	for i := range g.entries {
		e := &g.entries[i]
		content := free[:e.size:e.size]
		free = free[e.size:]
		err := in.readAll(e, content)
		if isCorrupt(err) { // by the network, perhaps: S3 is asked once more before the archive is blamed
			in.close()
			err = in.readAll(e, content)
		}
		if err == nil {
			err = send(ctx, writes, write{e, content, done})
		}
		if err != nil {
			left.Add(-int64(len(g.entries) - i))
			return err
		}
	}
	in.drain()
	return nil
}

func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func isCorrupt(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == KindCorrupt
}

// write makes one object of what a reader has found, at another key when another archive of the batch has this one.
func (r *run) write(ctx context.Context, w write) error {
	r.settleType(w.e, w.content)
	for {
		err := r.put(ctx, &w.e.o, w.content)
		if err == nil {
			r.done(w.e.size, true)
		}
		if !errors.Is(err, errTaken) {
			return err
		}
		if done, err := r.settleEntry(ctx, w.e); done || err != nil {
			return err
		}
	}
}

// settleEntry finds the key of an entry, and counts the entry when its object is there.
func (r *run) settleEntry(ctx context.Context, e *entry) (done bool, err error) {
	s, err := r.settle(ctx, e)
	if err == nil && s.done {
		r.done(e.size, false)
	}
	return s.done, err
}

func (r *run) settleType(e *entry, begin []byte) {
	if e.o.contentType == "" {
		e.o.contentType = typeByContent(begin[:min(len(begin), sniffed)])
		r.types.set(e.index, r.dir.Entries, e.o.contentType)
	}
}

// unpackLarge writes a large entry. What another archive writes to its key meanwhile has it begin again at another one.
func (r *run) unpackLarge(ctx context.Context, g group, e *entry) error {
	for {
		if r.j.Part != "" {
			if done, err := r.settleEntry(ctx, e); done || err != nil {
				return err
			}
		}
		write := r.writeLarge
		if e.method == zipfile.MethodStored {
			write = r.copyLarge
		}
		if err := write(ctx, g, e); !errors.Is(err, errTaken) {
			return err
		}
	}
}

// writeLarge feeds a multipart upload with an entry as it inflates. No object appears unless all of it agrees.
func (r *run) writeLarge(ctx context.Context, g group, e *entry) error {
	in := &input{r: r, ctx: ctx, end: g.end, limit: g.end}
	defer in.close()
	content, err := in.open(e)
	if err != nil {
		return err
	}
	begin := make([]byte, sniffed)
	if _, err := io.ReadFull(content, begin); err != nil {
		return content.ended(err)
	}
	r.settleType(e, begin)
	w := r.newWriter(ctx, e.o)
	defer w.close()
	if _, err := w.Write(begin); err != nil {
		return err
	}
	if _, err := io.Copy(w, content); err != nil {
		return content.ended(err)
	}
	if err := content.check(); err != nil {
		return err
	}
	if err := w.finish(); err != nil {
		return err
	}
	r.done(e.size, true)
	return nil
}

// input reads the archive from one entry to the next.
type input struct {
	r     *run
	ctx   context.Context
	end   int64 // of the range that is read
	limit int64 // where what is not the entry's begins
	at    int64 // where in the file buf is
	body  io.ReadCloser
	buf   *bufio.Reader
}

var inputBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// seek makes the byte at off the next one.
func (in *input) seek(off int64) error {
	if in.body != nil && in.at <= off && off-in.at <= maxSkip {
		n, err := in.buf.Discard(int(off - in.at))
		in.at += int64(n)
		return err
	}
	in.close()
	body, err := in.r.source.open(in.ctx, off, in.end-off)
	if err != nil {
		return err
	}
	in.body, in.at = body, off
	in.buf = inputBuffers.Get().(*bufio.Reader)
	in.buf.Reset(body)
	return nil
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.buf.Read(p)
	in.at += int64(n)
	return n, err
}

// drain reads what is left of the range, if that is little: its connection can be used again then.
func (in *input) drain() {
	if in.body != nil && in.end-in.at <= maxSkip {
		_, _ = io.Copy(io.Discard, in.buf)
	}
}

func (in *input) close() {
	if in.body != nil {
		in.body.Close()
		in.buf.Reset(nil)
		inputBuffers.Put(in.buf)
		in.body, in.buf = nil, nil
	}
}

// open reads the local header, which must agree with the directory, and gives the content.
func (in *input) open(e *entry) (*content, error) {
	if err := in.seek(e.offset); err != nil {
		return nil, err
	}
	var header [zipfile.LocalHeaderLen]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	local, ok := zipfile.ParseLocal(header[:])
	if !ok {
		return nil, e.corrupt("there is no local header at %d", e.offset)
	}
	if local.Method != e.method || local.NameLen != e.nameLen || local.Flags&zipfile.FlagEncrypted != 0 {
		return nil, e.corrupt("its local header disagrees with the directory")
	}
	if e.offset+local.HeaderLen()+e.compressed > in.limit {
		return nil, e.corrupt("it reaches into what follows it")
	}
	name := make([]byte, local.NameLen)
	if _, err := io.ReadFull(in, name); err != nil {
		return nil, err
	}
	if nameHash(name) != e.nameHash {
		return nil, e.corrupt("its local header has another name")
	}
	if err := in.seek(e.offset + local.HeaderLen()); err != nil {
		return nil, err
	}
	return newContent(in, e), nil
}

func (e *entry) corrupt(format string, args ...any) error {
	return entryError(KindCorrupt, e.o.key, format, args...)
}

func (e *entry) otherChecksum(crc uint32) error {
	return e.corrupt("its checksum is %08x, and the directory says %08x", crc, e.o.crc)
}

// readAll reads an entry into buf, which is as long as the entry says that it is.
func (in *input) readAll(e *entry, buf []byte) error {
	c, err := in.open(e)
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(c, buf); err != nil {
		return c.ended(err)
	}
	return c.check()
}

// content is the content of an entry: inflated, counted and summed.
type content struct {
	e    *entry
	from io.Reader
	n    int64
	crc  uint32
}

// inflater is a decompressor with the buffer that it reads from: it has a faster way for a bufio.Reader than for others.
type inflater struct {
	io.ReadCloser
	buf *bufio.Reader
}

var inflaters = sync.Pool{New: func() any {
	buf := bufio.NewReaderSize(nil, 32<<10)
	return &inflater{flate.NewReader(buf), buf}
}}

func newContent(in *input, e *entry) *content {
	c := &content{e: e, from: io.LimitReader(in, e.compressed)}
	if e.method == zipfile.MethodDeflate {
		f := inflaters.Get().(*inflater)
		f.buf.Reset(c.from)
		_ = f.ReadCloser.(flate.Resetter).Reset(f.buf, nil) // it always succeeds
		c.from = f
	}
	return c
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	if c.n > c.e.size {
		return 0, c.e.corrupt("it has more than the %d bytes that the directory says", c.e.size)
	}
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	return n, err
}

// ended names the error that a read ended with.
func (c *content) ended(err error) error {
	var known *Error
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &corrupt):
		return c.e.corrupt("what is compressed is damaged")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return c.e.corrupt("it has %d of the %d bytes that the directory says", c.n, c.e.size)
	}
	return err
}

// check compares what was read with the directory. It reads to the end.
func (c *content) check() error {
	var one [1]byte
	if n, err := io.ReadFull(c, one[:]); n > 0 || err != io.EOF {
		if err == nil {
			err = c.e.corrupt("it has more than the %d bytes that the directory says", c.e.size)
		}
		return c.ended(err)
	}
	if c.n != c.e.size {
		return c.ended(io.EOF)
	}
	if c.crc != c.e.o.crc {
		return c.e.otherChecksum(c.crc)
	}
	if f, ok := c.from.(*inflater); ok {
		inflaters.Put(f)
	}
	return nil
}

package unpack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

const (
	// maxGroup bounds the entries that share one request.
	maxGroup = 1000
	// maxSkip is how much between two entries is read and thrown away rather than asked for again.
	maxSkip = 256 << 10
	// lookAhead is how many keys are looked at together when some may be there already.
	lookAhead = 256
	// maxEntrySize is what S3's parts can hold of a deflated entry with a buffer of 16 MiB.
	maxEntrySize = maxDataParts * 16 * mib
)

// entry is what is needed of a directory's entry to write its object.
type entry struct {
	index            int64
	offset, end      int64 // of the local header; where the content ends at the earliest
	compressed, size int64
	method           uint16
	nameLen          int
	nameHash         uint64
	own              string // the key behind the prefix, before it was moved
	o                object
}

// unpackable says what cannot be unpacked by anybody here.
func unpackable(e *zipfile.Entry, n string) error {
	switch {
	case e.Flags&(zipfile.FlagEncrypted|zipfile.FlagMasked) != 0:
		return entryError(KindUnsupported, n, "the entry is encrypted")
	case e.Method != zipfile.MethodStored && e.Method != zipfile.MethodDeflate:
		return entryError(KindUnsupported, n, "the entry is compressed with method %d (%s); stored and deflate are supported", e.Method, cmp.Or(methodNames[e.Method], "unknown"))
	case e.Method == zipfile.MethodStored && e.Compressed != e.Size:
		return entryError(KindCorrupt, n, "the entry is stored, and its two sizes differ")
	case e.Size > maxEntrySize:
		return entryError(KindTooLarge, n, "the entry has %d bytes; %d is the most", e.Size, int64(maxEntrySize))
	}
	return nil
}

var methodNames = map[uint16]string{1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 94: "MP3", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES"}

// eachEntry walks the directory and gives each entry that makes an object, with its key.
func (r *run) eachEntry(ctx context.Context, fn func(e *zipfile.Entry, n, key string) error) error {
	r.names.restart()
	return r.dir.Walk(ctx, r.source.open, func(e *zipfile.Entry) error {
		n := name(e)
		if leftOut(e, n) {
			return nil
		}
		return fn(e, n, r.j.Prefix+r.movedKey(e.Index, r.names.key(r.j.wanted(n, r.names.limit))))
	})
}

func newEntry(e *zipfile.Entry, prefix, key string) entry {
	end := e.Offset + zipfile.LocalHeaderLen + int64(len(e.Name)) + e.Compressed
	return entry{
		index: e.Index, offset: e.Offset, end: end, compressed: e.Compressed, size: e.Size, method: e.Method,
		nameLen: len(e.Name), nameHash: nameHash(e.Name), own: strings.TrimPrefix(key, prefix),
		o: object{
			key: key, contentType: typeByName(key), size: e.Size, crc: e.CRC32, metadata: map[string]string{metaCRC32: fmt.Sprintf("%08x", e.CRC32)},
		},
	}
}

func nameHash(b []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return h.Sum64()
}

// unpackAll reads the directory, and lets readers and writers work on what it says.
//
// Readers, one less than there are buffers, fill these from the archive; as many writers as objects may be written at once
// empty them. A reader waits for a buffer, a buffer for its last object: that bounds everything. The first error ends all.
func (r *run) unpackAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fail := func(err error) {
		if err != nil {
			cancel(err)
		}
	}
	groups, writes := make(chan group), make(chan write)
	var readers, writers sync.WaitGroup
	for range slabs - 1 {
		readers.Go(func() {
			for g := range groups {
				if ctx.Err() == nil {
					fail(r.unpackGroup(ctx, g, writes))
				}
			}
		})
	}
	for range r.u.opt.Concurrency {
		writers.Go(func() {
			for w := range writes {
				if ctx.Err() == nil {
					fail(r.write(ctx, w))
				}
				w.done()
			}
		})
	}
	fail(r.plan(ctx, groups))
	close(groups)
	readers.Wait()
	close(writes)
	writers.Wait()
	return context.Cause(ctx)
}

// group is neighbours that one request reads.
type group struct {
	entries []entry
	size    int64
	end     int64 // where to stop reading
}

// plan walks the directory, leaves out what is there already, and hands groups to the readers.
func (r *run) plan(ctx context.Context, groups chan<- group) error {
	p := planner{r: r, ctx: ctx, groups: groups, looking: !r.fresh}
	err := r.eachEntry(ctx, func(e *zipfile.Entry, n, key string) error {
		if r.late() {
			return errCheckpoint
		}
		return p.add(newEntry(e, r.j.Prefix, key))
	})
	if errors.Is(err, errCheckpoint) && ctx.Err() == nil {
		r.stopped, err = true, nil // what has begun goes on: its time ends a little later
	}
	if err == nil {
		err = p.look()
	}
	if err == nil {
		err = p.flush(r.dir.Start)
	}
	return err
}

type planner struct {
	r       *run
	ctx     context.Context
	groups  chan<- group
	g       group
	looking bool // some keys may hold their object already
	ahead   []entry
}

func (p *planner) add(e entry) error {
	if !p.looking {
		return p.take(e)
	}
	if p.ahead = append(p.ahead, e); len(p.ahead) < lookAhead {
		return nil
	}
	return p.look()
}

// look asks S3 for the keys of the entries ahead, together. When none is there, what an earlier run has written is past;
// single objects beyond are met when they are written.
func (p *planner) look() error {
	found := make([]settled, len(p.ahead))
	err := atOnce(p.ctx, p.r.u.opt.Concurrency, len(p.ahead), func(ctx context.Context, i int) (err error) {
		found[i], err = p.r.settle(ctx, &p.ahead[i])
		return err
	})
	if err != nil {
		return err
	}
	any := false
	for i, e := range p.ahead {
		any = any || found[i].met
		if found[i].done {
			p.r.done(e.size, false)
		} else if err := p.take(e); err != nil {
			return err
		}
	}
	p.looking = any
	p.ahead = p.ahead[:0]
	return nil
}

// take puts an entry into the group, or sends the group and begins another.
func (p *planner) take(e entry) error {
	g := &p.g
	if n := len(g.entries); n > 0 {
		skip := e.offset - g.entries[n-1].end
		if skip < 0 || skip > maxSkip || g.size+e.size > slabSize || n == maxGroup {
			next := p.r.dir.Start
			if skip >= 0 {
				next = e.offset
			}
			if err := p.flush(next); err != nil {
				return err
			}
		}
	}
	g.entries = append(g.entries, e)
	g.size += e.size
	return nil
}

// flush hands the group over. next is where something else begins.
func (p *planner) flush(next int64) error {
	if len(p.g.entries) == 0 {
		return nil
	}
	g := p.g
	p.g = group{}
	// How long the last local header is shows only when it is read.
	g.end = min(next, g.entries[len(g.entries)-1].end+1<<16+maxDescriptor)
	return send(p.ctx, p.groups, g)
}

// maxDescriptor is what may follow a content.
const maxDescriptor = 24

// atOnce calls fn for 0 to n-1, at most so many at once. The first error ends the others.
func atOnce(ctx context.Context, most, n int, fn func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, most)
	var all sync.WaitGroup
	for i := 0; i < n && ctx.Err() == nil; i++ {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := fn(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

package unpack

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

var errCheckpoint = errors.New("the deadline is near")

// run is one call of Run.
type run struct {
	u  *Unpacker
	s3 *s3.Client
	j  Job

	mu     sync.Mutex // of result, while entries are written
	result Result

	source *source
	dir    zipfile.Directory
	names  *namer
	types  typeTable
	fresh  bool      // there is nothing below the prefix
	stop   time.Time // no new entry after this; zero: never
	// stopped: that time came before the last entry.
	stopped bool
	slabs   chan []byte
	// moved: how many keys each entry, by its index, has tried whose key another archive of the batch has. S3 says anew in
	// each run which they are: an object stays where it was first written.
	moved sync.Map

	left  map[string]left // uploads that interrupted runs have left, by key; not changed once work begins
	parts atomic.Int64    // that this run made
}

func newRun(u *Unpacker, j Job) *run {
	r := &run{u: u, s3: u.s3, j: j, slabs: make(chan []byte, slabs)}
	for range slabs {
		r.slabs <- nil // made when it is needed
	}
	return r
}

func (r *run) run(ctx context.Context) error {
	ctx, cancel := r.clock(ctx)
	defer cancel()
	contents, err := r.prepare(ctx)
	if err != nil || r.result.Finished {
		return err
	}
	if err := r.survey(ctx); err != nil {
		return err
	}
	if err := r.findLeft(ctx); err != nil {
		return err
	}
	if r.fresh, err = r.isFresh(ctx); err != nil {
		return err
	}
	stopProgress := r.reportProgress()
	err = r.unpackAll(ctx)
	stopProgress()
	if err == nil && !r.stopped {
		if r.result.Objects != r.result.TotalObjects {
			return &Error{Op: "unpack", Kind: KindInternal, Reason: "an entry was lost"}
		}
		err = r.finish(ctx, contents)
	}
	return r.checkpoint(ctx, err)
}

// checkpointBefore the context's deadline no new entry is begun. A third of it later, entries in flight are left to the next
// run. With less time than twice this left at the start, half of what is left is taken instead.
const checkpointBefore = 30 * time.Second

// clock sets when to stop: two points before the context's deadline.
func (r *run) clock(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	before := min(checkpointBefore, time.Until(deadline)/2)
	r.stop = deadline.Add(-before)
	return context.WithDeadlineCause(ctx, deadline.Add(-before+before/3), errCheckpoint)
}

func (r *run) late() bool { return !r.stop.IsZero() && !r.u.opt.now().Before(r.stop) }

// checkpoint makes no error of a deadline that is near: the next run goes on. One that could write neither an object nor a
// part of one would not either: then an entry takes longer than a run has, if only to be read, and repeating would not end.
func (r *run) checkpoint(ctx context.Context, err error) error {
	if err != nil && !errors.Is(err, errCheckpoint) && context.Cause(ctx) != errCheckpoint || r.result.Finished {
		return err
	}
	if r.result.Written == 0 && r.parts.Load() == 0 && r.result.Objects < r.result.TotalObjects {
		return &Error{Op: "unpack", Kind: KindStorageUnavailable, Reason: "not one object, nor a part of one, could be written in the time that there was"}
	}
	return nil
}

// prepare looks at what is there: the list of contents of an unpacking that is finished, and the archive.
func (r *run) prepare(ctx context.Context) (contents *existing, err error) {
	key := r.j.contentsKey()
	if contents, err = r.head(ctx, key); err != nil {
		return nil, err
	}
	if r.source, err = r.openSource(ctx); err != nil {
		return nil, err
	}
	if r.source == nil { // deleted, perhaps by the run whose answer was lost
		r.source = &source{r: r, etag: r.j.ETag}
		if contents != nil && r.isOurs(contents) && r.j.DropArchive {
			return nil, r.repeat(ctx, contents)
		}
		return nil, &Error{Op: "look at archive", Kind: KindChanged, Reason: "there is no object at " + r.j.Key}
	}
	if r.isOurs(contents) {
		return nil, r.repeat(ctx, contents)
	}
	if contents != nil {
		if _, err := r.claim(contents, &object{key: key}); err != nil {
			return nil, err
		}
	}
	return contents, nil
}

// repeat is the end of a run after the last one.
func (r *run) repeat(ctx context.Context, contents *existing) error {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(contents.Metadata[name], 10, 64)
		return n
	}
	r.result = Result{Objects: number(metaObjects), Bytes: number(metaBytes), Repeated: true}
	r.result.TotalObjects, r.result.TotalBytes = r.result.Objects, r.result.Bytes
	return r.conclude(ctx)
}

// survey reads the directory: whether all of it can be unpacked, how much it is, and which names meet.
func (r *run) survey(ctx context.Context) (err error) {
	if r.dir, err = zipfile.Read(ctx, r.source.open, r.source.size); err != nil {
		return err
	}
	if r.dir.Ambiguous {
		return &Error{Op: "read ZIP directory", Kind: KindUnsupported, Reason: "an entry is over 4 GiB, and the archive has no ZIP64 records to say where the next one is"}
	}
	if r.dir.Entries > maxEntries {
		return &Error{Op: "read ZIP directory", Kind: KindTooLarge, Reason: strconv.FormatInt(r.dir.Entries, 10) + " entries"}
	}
	limit := maxKeyBytes - len(r.j.Prefix)
	hashes := make([]uint64, 0, r.dir.Entries+1)
	var refused error
	err = r.dir.Walk(ctx, r.source.open, func(e *zipfile.Entry) error {
		n := name(e)
		if leftOut(e, n) {
			return nil
		}
		r.result.TotalObjects++
		r.result.TotalBytes += e.Size
		hashes = append(hashes, hashOf(r.j.wanted(n, limit)))
		if refused == nil {
			refused = unpackable(e, n)
		}
		return nil
	})
	r.names = newNamer(hashes, limit)
	if err == nil {
		err = refused
	}
	return err
}

// isFresh: nothing is below the prefix, so that no key has to be looked at.
func (r *run) isFresh(ctx context.Context) (bool, error) {
	out, err := r.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &r.j.Bucket, Prefix: optional(r.j.Prefix), MaxKeys: aws.Int32(1), ExpectedBucketOwner: optional(r.j.BucketOwner),
	})
	if err != nil {
		return false, storageError("list objects", err)
	}
	return len(out.Contents) == 0, nil
}

// conclude sweeps up and deletes the archive, if that was asked for and it is still the one that was unpacked.
func (r *run) conclude(ctx context.Context) error {
	// A create whose answer was lost has left an upload that nobody has the ID of.
	if err := r.abortLeft(ctx); err != nil {
		return err
	}
	if r.j.DropArchive && r.source.size > 0 { // there was one when this run began
		now, err := r.head(ctx, r.j.Key)
		if err != nil {
			return err
		}
		if now != nil && strings.Trim(aws.ToString(now.ETag), `"`) == strings.Trim(r.source.etag, `"`) {
			_, err = r.s3.DeleteObject(ctx, &s3.DeleteObjectInput{
				Bucket: &r.j.Bucket, Key: &r.j.Key, ExpectedBucketOwner: optional(r.j.BucketOwner),
			})
			if err != nil {
				return storageError("delete archive", err)
			}
		}
	}
	r.result.Contents = r.j.contentsKey()
	r.result.Finished = true
	return nil
}

// done counts an object that is there.
func (r *run) done(size int64, written bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Objects++
	r.result.Bytes += size
	if written {
		r.result.Written++
		r.result.WrittenBytes += size
	}
}

func (r *run) reportProgress() (stop func()) {
	if r.u.opt.Progress == nil {
		return func() {}
	}
	report := func() {
		r.mu.Lock()
		now := r.result
		r.mu.Unlock()
		r.u.opt.Progress(now)
	}
	quit := make(chan struct{})
	var reporting sync.WaitGroup
	reporting.Go(func() {
		for ended := false; !ended; report() {
			select {
			case <-time.After(r.u.opt.ProgressInterval):
			case <-quit:
				ended = true
			}
		}
	})
	return func() {
		close(quit)
		reporting.Wait()
	}
}

// slab is a buffer of size bytes; only a part of a very large object needs more than the usual.
func (r *run) slab(ctx context.Context, size int64) ([]byte, error) {
	select {
	case b := <-r.slabs:
		if int64(cap(b)) < size {
			b = make([]byte, size)
		}
		return b[:size], nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (r *run) release(b []byte) {
	if int64(cap(b)) > slabSize {
		b = nil
	}
	r.slabs <- b
}

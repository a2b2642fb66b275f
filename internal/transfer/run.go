package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// work is what everything that takes part in one Run shares.
type work struct {
	opt       *Options
	streaming bool // parts stream; otherwise each is buffered
	store     *store
	src       *source.Source
	budget    *failure.Budget
	meter     *meter
	deadline  deadline
	slower    <-chan struct{} // the source or S3 asks for less
}

// run is one Run: it looks at both sides, chooses the way of the archive, and has the object published.
type run struct {
	*work
	client  *source.Client
	uploads *uploads
}

func (t *Transferer) newRun(o Object) *run {
	slower := make(chan struct{}, 1)
	budget := failure.NewBudget(t.opt.backoff, func() {
		select {
		case slower <- struct{}{}:
		default: // one is enough
		}
	})
	s := &store{s3: t.s3, o: o, budget: budget, timeout: t.opt.StorageTimeout, log: t.opt.Logger}
	w := &work{
		opt: &t.opt, streaming: t.streaming, store: s, budget: budget, slower: slower,
		meter: &meter{report: t.opt.Progress, interval: t.opt.ProgressInterval, size: -1},
	}
	return &run{work: w, client: t.client, uploads: &uploads{store: s, orphanAge: t.opt.OrphanAge}}
}

func (r *run) run(ctx context.Context, sourceURL string) (Result, error) {
	r.deadline = deadlineOf(ctx)
	var err error
	if r.src, err = r.client.Open(sourceURL, r.budget); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var now *existing
	var headErr error
	var looking sync.WaitGroup
	looking.Go(func() { // beside the first request to the source: two round trips in the time of one
		now, headErr = r.store.head(ctx)
	})
	b, beginErr := r.src.Begin(ctx, firstRange)
	if beginErr == nil {
		defer b.Close()
	}
	looking.Wait()
	if headErr != nil {
		return Result{}, headErr
	}
	cond, err := r.store.decide(now)
	if err != nil {
		return Result{}, err
	}
	if beginErr != nil {
		return Result{}, beginErr
	}
	if r.isRepeat(now) {
		return r.repeat(ctx, now)
	}
	result, err := r.transfer(ctx, b, cond)
	if !isGone(err) {
		return result, err
	}
	return r.afterGone(ctx, err, cond)
}

// afterGone goes on when S3 does not know the upload any more: another process of this owner has completed it, or S3 has
// ended it, as it may after a conflict at completion. Then the archive is moved again, once.
func (r *run) afterGone(ctx context.Context, gone error, cond condition) (Result, error) {
	e, err := r.store.head(ctx)
	if err != nil {
		return Result{}, err
	}
	if r.isRepeat(e) {
		return r.repeat(ctx, e)
	}
	r.opt.Logger.Warn("the upload is gone; the archive is moved again", "key", r.store.o.Key, "error", gone)
	b, err := r.src.Begin(ctx, firstRange)
	if err != nil {
		return Result{}, err
	}
	defer b.Close()
	r.meter.reset()
	return r.transfer(ctx, b, cond)
}

// isRepeat reports whether the object is this very transfer's result already.
func (r *run) isRepeat(e *existing) bool { return e.isResultOf(r.store.o.Owner, r.src.Identity()) }

// repeat returns what an earlier Run of the same owner has made of the same source.
func (r *run) repeat(ctx context.Context, e *existing) (Result, error) {
	r.meter.stats.Repeated = true
	r.sweep(ctx)
	return r.result(ctx, e)
}

// transfer moves the archive by the way that its first answer allows: at once when it is small, in ranges, or in order.
func (r *run) transfer(ctx context.Context, b *source.Beginning, cond condition) (Result, error) {
	if !b.Whole {
		result, err := r.inRanges(ctx, b, cond)
		if !errors.Is(err, source.ErrRangesUnusable) {
			return result, err
		}
		r.opt.Logger.Warn("the archive is read in order", "key", r.store.o.Key, "error", err)
		if b, err = r.src.BeginWhole(ctx); err != nil {
			return Result{}, err
		}
		defer b.Close()
	}
	for attempt := 0; ; attempt++ {
		head, whole, err := r.readHead(ctx, b)
		if err == nil && whole {
			return r.putSmall(ctx, head, cond)
		}
		if err == nil { // a source without ranges
			return r.inOrder(ctx, &body{io.MultiReader(bytes.NewReader(head), b.Answer), b.Answer}, cond)
		}
		b.Close()
		if err := r.budget.Wait(ctx, failure.As("read source", KindSourceUnavailable, err), attempt); err != nil {
			return Result{}, err
		}
		if b, err = r.src.BeginWhole(ctx); err != nil {
			return Result{}, err
		}
		defer b.Close()
	}
}

// readHead reads up to firstRange bytes. whole: they are the archive. One that says no size must prove it: where it broke
// off, nothing else may show it.
func (r *run) readHead(ctx context.Context, b *source.Beginning) (head []byte, whole bool, err error) {
	head, err = io.ReadAll(io.LimitReader(b, firstRange+1))
	n, size := int64(len(head)), r.src.Identity().Size
	switch {
	case err != nil:
		return nil, false, err
	case n > firstRange && (size < 0 || size > firstRange):
		return head, false, nil
	case size >= 0 && n != size:
		return nil, false, &Error{Op: "read source", Kind: KindSourceUnavailable, Temporary: true, Odd: true,
			Reason: "the archive's host sends more or fewer bytes than it says"}
	case size < 0:
		if _, err := readZIP(ctx, zipfile.Bytes(head), n, r.store.o); err != nil {
			return nil, false, again(err)
		}
	}
	return head, true, nil
}

// again makes of a source's corrupt archive an error worth a few more tries.
func again(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindCorrupt {
		return err
	}
	once := *e
	once.Temporary, once.Odd = true, true
	return &once
}

// putSmall writes an archive that is in memory with one call, after its directory has been read.
func (r *run) putSmall(ctx context.Context, data []byte, cond condition) (Result, error) {
	size := int64(len(data))
	r.meter.begin(size, 1, 0, 0)
	r.meter.add(size)
	if _, err := readZIP(ctx, zipfile.Bytes(data), size, r.store.o); err != nil {
		return Result{}, err
	}
	r.meter.now(0)
	if r.store.o.KMSKeyID != "" {
		return r.putInParts(ctx, data, cond)
	}
	want := content{size: size, crc: crc64nvme.Update(0, data)}
	now, err := r.publish(ctx, want, cond, func(ctx context.Context, c condition) error {
		return r.store.put(ctx, data, want.crc, r.src.Identity(), c)
	})
	if err != nil {
		return Result{}, err
	}
	r.sweep(ctx)
	return r.result(ctx, now)
}

// putInParts: PutObject says only afterwards how it has encrypted, CreateMultipartUpload before it has any byte.
func (r *run) putInParts(ctx context.Context, data []byte, cond condition) (Result, error) {
	u, err := r.uploads.open(ctx, r.src.Identity(), layout{size: int64(len(data)), first: firstRange, part: smallestChosenPart}, true)
	if err != nil {
		return Result{}, err
	}
	crc := crc64nvme.Update(0, data)
	u.parts[0], err = attempt(ctx, r.budget, "send part", func(ctx context.Context) (part, error) {
		return r.store.sendBuffer(ctx, u.id, 1, data, crc)
	})
	if err != nil {
		return Result{}, err
	}
	return r.finish(ctx, u, cond)
}

// finish completes the upload. All parts are in S3, and the source's ZIP directory has been read.
func (r *run) finish(ctx context.Context, u *upload, cond condition) (Result, error) {
	now, err := r.complete(ctx, u, cond)
	if err != nil {
		return Result{}, err
	}
	r.sweep(ctx)
	return r.result(ctx, now)
}

// result reads the directory back from S3 and fills in the answer.
func (r *run) result(ctx context.Context, e *existing) (Result, error) {
	c, err := attemptZIP(ctx, r.budget, "read back", r.store.opener(e.etag), e.size, r.store.o)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Finished: true, Size: e.size, BytesDone: e.size, ETag: e.etag, ChecksumCRC64NVME: e.crc, Entries: c.entries, Names: c.names,
		Stats: r.meter.final(r.budget),
	}, nil
}

func (w *work) unfinished(u *upload) Result {
	_, done := u.done()
	return Result{Size: w.meter.size, BytesDone: done, Stats: w.meter.final(w.budget)}
}

var errCheckpoint = errors.New("the deadline is near")

// deadline is when a Run stops, for the next one to continue. Zero times: never.
type deadline struct {
	soft time.Time // no new range from here on
	hard time.Time // nothing in flight from here on
}

// checkpointBefore the context's deadline no new range is started. A third of it later, ranges in flight are dropped. With
// less time than twice this left at the start, half of what is left is taken instead.
const checkpointBefore = 30 * time.Second

func deadlineOf(ctx context.Context) deadline {
	end, ok := ctx.Deadline()
	if !ok {
		return deadline{}
	}
	margin := min(checkpointBefore, time.Until(end)/2)
	return deadline{soft: end.Add(-margin), hard: end.Add(-margin * 2 / 3)}
}

// timers fire at the two times; never, when there are none.
func (d deadline) timers() (soft, hard *time.Timer) {
	if d.soft.IsZero() {
		soft, hard = time.NewTimer(time.Hour), time.NewTimer(time.Hour)
		soft.Stop()
		hard.Stop()
		return soft, hard
	}
	return time.NewTimer(time.Until(d.soft)), time.NewTimer(time.Until(d.hard))
}

func (d deadline) softPassed() bool { return !d.soft.IsZero() && time.Now().After(d.soft) }

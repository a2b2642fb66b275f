package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// run is one Run.
type run struct {
	t      *Transferer
	o      Object
	src    *source
	budget *budget
	moved  atomic.Int64 // bytes that are in S3 or on the way
	slower chan struct{}
	stats  Stats

	uploadID string    // the upload in use
	soft     time.Time // no new range from here on; zero: no deadline
	hard     time.Time // nothing in flight from here on
}

func newRun(t *Transferer, o Object) *run {
	r := &run{t: t, o: o, slower: make(chan struct{}, 1)}
	r.budget = newBudget(t.opt.backoff, func() {
		select {
		case r.slower <- struct{}{}:
		default: // one is enough
		}
	})
	return r
}

func (r *run) setDeadlines(ctx context.Context) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return
	}
	margin := min(r.t.opt.CheckpointBefore, time.Until(deadline)/2)
	r.soft = deadline.Add(-margin)
	r.hard = deadline.Add(-margin * 2 / 3)
}

func (r *run) run(ctx context.Context, sourceURL string) (Result, error) {
	r.setDeadlines(ctx)
	if err := parseSourceURL(sourceURL, r.t.guard); err != nil {
		return Result{}, err
	}
	r.src = &source{client: r.t.client, original: sourceURL, agent: r.t.opt.UserAgent, limits: slowness{
		stall: r.t.opt.StallTimeout, window: rateWindow, minRate: r.t.opt.MinRate,
	}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heads := make(chan headed, 1)
	go func() { // beside the first request to the source: two round trips in the time of one
		e, err := r.head(ctx)
		heads <- headed{e, err}
	}()
	p, probeErr := r.src.openProbe(ctx, r.budget)
	if p != nil {
		defer p.conn.Close()
	}
	h := <-heads
	if h.err != nil {
		return Result{}, h.err
	}
	cond, err := r.decide(h.existing)
	if err != nil {
		return Result{}, err
	}
	if probeErr != nil {
		return Result{}, probeErr
	}
	if r.isRepeat(h.existing, r.src.ident) {
		return r.repeat(ctx, h.existing)
	}
	result, err := r.transfer(ctx, p, cond)
	if isKindGone(err) { // another process of this owner has completed the upload meanwhile
		if e, headErr := r.head(ctx); headErr == nil && r.isRepeat(e, r.src.ident) {
			return r.repeat(ctx, e)
		}
	}
	return result, err
}

type headed struct {
	existing *existing
	err      error
}

// repeat returns what an earlier Run of the same owner has made of the same source.
func (r *run) repeat(ctx context.Context, e *existing) (Result, error) {
	r.stats.Repeated = true
	r.sweep(ctx)
	return r.result(ctx, e)
}

func (r *run) transfer(ctx context.Context, p *probe, cond condition) (Result, error) {
	if !p.whole {
		return r.inRanges(ctx, p, cond)
	}
	// A small archive, or a source without ranges: what has come so far tells which.
	head, whole, err := r.readHead(ctx, p)
	if err != nil {
		return Result{}, err
	}
	if whole {
		return r.putSmall(ctx, head, cond)
	}
	p.body = io.MultiReader(bytes.NewReader(head), p.conn)
	return r.inOrder(ctx, p, cond)
}

// readHead reads up to firstRange bytes, beginning again from the source when that breaks off.
func (r *run) readHead(ctx context.Context, p *probe) (head []byte, whole bool, err error) {
	size := r.src.ident.Size
	for n := 0; ; n++ {
		head, err = io.ReadAll(io.LimitReader(p.body, firstRange+1))
		switch {
		case err == nil && int64(len(head)) > firstRange:
			p.body = nil
			return head, false, nil
		case err == nil && (size < 0 || int64(len(head)) == size):
			r.moved.Store(int64(len(head)))
			return head, true, nil
		case err == nil:
			err = errors.New("the answer is shorter than it said")
		}
		p.conn.Close()
		if err := r.budget.wait(ctx, asError("read source", KindSourceUnavailable, err), n); err != nil {
			return nil, false, err
		}
		before := r.src.ident
		again, err := r.src.openProbe(ctx, r.budget)
		if err != nil {
			return nil, false, err
		}
		*p = *again
		if r.src.ident != before || !p.whole {
			return nil, false, changed("another answer at the second try")
		}
	}
}

// putSmall writes an archive that is in memory with one call, after its directory has been read.
func (r *run) putSmall(ctx context.Context, data []byte, cond condition) (Result, error) {
	r.src.ident.Size = int64(len(data))
	r.stats.Parts = 1
	if _, err := readZIP(ctx, zipfile.Bytes(data), int64(len(data))); err != nil {
		return Result{}, err
	}
	want := content{size: int64(len(data)), crc: crcUpdate(0, data)}
	r.progress(0)
	if r.o.KMSKeyID != "" {
		return r.putInParts(ctx, data, cond)
	}
	now, err := r.publish(ctx, want, cond, func(ctx context.Context, c condition) error {
		return r.put(ctx, data, want.crc, c)
	})
	if err != nil {
		return Result{}, err
	}
	r.sweep(ctx)
	return r.result(ctx, now)
}

// putInParts: PutObject says only afterwards how it has encrypted, CreateMultipartUpload before it has any byte.
func (r *run) putInParts(ctx context.Context, data []byte, cond condition) (Result, error) {
	u, err := r.openUpload(ctx, layout{size: int64(len(data)), first: firstRange, part: smallestChosenPart})
	if err != nil {
		return Result{}, err
	}
	crc := crcUpdate(0, data)
	u.parts[0], err = attempt(ctx, r.budget, "send part", func(ctx context.Context) (part, error) {
		return r.sendBuffer(ctx, u.id, 1, data, crc)
	})
	if err != nil {
		return Result{}, err
	}
	return r.finish(ctx, u, cond)
}

func (r *run) put(ctx context.Context, data []byte, crc uint64, c condition) error {
	limited, cancel := context.WithTimeout(ctx, r.t.opt.StorageTimeout+callTimeout)
	defer cancel()
	in := r.o.putInput(r.src.ident)
	in.Body, in.ContentLength = bytes.NewReader(data), aws.Int64(int64(len(data)))
	in.ChecksumAlgorithm, in.ChecksumCRC64NVME = types.ChecksumAlgorithmCrc64nvme, aws.String(crcText(crc))
	in.IfNoneMatch, in.IfMatch = c.headers()
	_, err := r.t.s3.PutObject(limited, in, once, unsigned)
	return inTime(ctx, "put object", err)
}

func (c condition) headers() (ifNoneMatch, ifMatch *string) {
	if c.none {
		return aws.String("*"), nil
	}
	if c.match != "" {
		return nil, &c.match
	}
	return nil, nil
}

// finish completes the upload. All parts are in S3, and the source's ZIP directory has been read.
func (r *run) finish(ctx context.Context, u *upload, cond condition) (Result, error) {
	want := u.checksum()
	now, err := r.publish(ctx, want, cond, func(ctx context.Context, c condition) error {
		err := r.completeUpload(ctx, u, want, c)
		if isCode(err, "InvalidPart") { // another process of ours has sent a part again, with another ETag
			return r.refreshParts(ctx, u, err)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	r.sweep(ctx)
	return r.result(ctx, now)
}

// completeTimeout: S3 may work for minutes on many parts ("CompleteMultipartUpload", S3 API Reference).
const completeTimeout = 10 * time.Minute

func (r *run) completeUpload(ctx context.Context, u *upload, want content, c condition) error {
	limited, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	parts := make([]types.CompletedPart, len(u.parts))
	for i, p := range u.parts {
		parts[i] = types.CompletedPart{
			PartNumber: aws.Int32(int32(i + 1)), ETag: aws.String(p.etag), ChecksumCRC64NVME: aws.String(crcText(p.crc)),
		}
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &r.o.Bucket, Key: &r.o.Key, UploadId: &u.id, ExpectedBucketOwner: r.o.expectedOwner(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, MpuObjectSize: &want.size,
		ChecksumType: types.ChecksumTypeFullObject, ChecksumCRC64NVME: aws.String(crcText(want.crc)),
	}
	in.IfNoneMatch, in.IfMatch = c.headers()
	_, err := r.t.s3.CompleteMultipartUpload(limited, in, once)
	return inTime(ctx, "complete upload", err)
}

// refreshParts takes the parts' present ETags, if their bytes are still those that were sent.
func (r *run) refreshParts(ctx context.Context, u *upload, cause error) error {
	listed, _, err := r.listParts(ctx, u.id, 0)
	if err != nil {
		return err
	}
	for i := range u.parts {
		now, was := listed[i+1], &u.parts[i]
		if now.crc != was.crc || now.size != was.size || !now.done {
			return cause
		}
		was.etag = now.etag
	}
	return &Error{Op: "complete upload", Kind: KindStorageUnavailable, Reason: "parts were sent twice", temporary: true}
}

// sweep aborts what is left of this owner's uploads when the object is done: those of a second process of ours, of an
// earlier Run whose source was another, and the one that was in use, which a late part of a second process may have
// brought back without its labels.
func (r *run) sweep(ctx context.Context) {
	err := r.abortOwn(ctx)
	if r.uploadID != "" {
		err = errors.Join(err, r.abortID(ctx, r.uploadID))
	}
	if err != nil {
		r.t.opt.Logger.Warn("uploads left", "key", r.o.Key, "error", err)
	}
}

// result reads the directory back from S3 and fills in the answer.
func (r *run) result(ctx context.Context, e *existing) (Result, error) {
	entries, err := attemptZIP(ctx, r.budget, "read back", r.objectOpener(e.etag), e.size)
	if err != nil {
		return Result{}, err
	}
	r.stats.Retries = r.budget.retries.Load()
	return Result{
		Finished: true, Size: e.size, BytesDone: e.size, ETag: e.etag, ChecksumCRC64NVME: e.crc, Entries: entries,
		Stats: r.stats,
	}, nil
}

func (r *run) unfinished(u *upload) Result {
	_, done := u.done()
	r.stats.Retries = r.budget.retries.Load()
	return Result{Size: r.src.ident.Size, BytesDone: done, Stats: r.stats}
}

func (r *run) progress(inFlight int) {
	if f := r.t.opt.Progress; f != nil {
		f(Progress{Bytes: r.moved.Load(), Size: r.src.ident.Size, InFlight: inFlight})
	}
}

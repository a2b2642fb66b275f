package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// source is the archive in S3, pinned to one version of it.
type source struct {
	r    *run
	etag string
	size int64
}

// openSource looks at the archive. nil: there is none.
func (r *run) openSource(ctx context.Context) (*source, error) {
	found, err := r.head(ctx, r.j.Key)
	if found == nil || err != nil {
		return nil, err
	}
	s := &source{r, aws.ToString(found.ETag), aws.ToInt64(found.ContentLength)}
	if r.j.ETag != "" && strings.Trim(s.etag, `"`) != strings.Trim(r.j.ETag, `"`) {
		return nil, s.changed()
	}
	return s, nil
}

func (s *source) changed() error {
	return &Error{Op: "read archive", Kind: KindChanged, Reason: "the object at " + s.r.j.Key + " is not the archive that was to be unpacked"}
}

// open reads n bytes from off on, with a new request where one breaks off. It is a zipfile.Opener.
func (s *source) open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r := &rangeReader{s: s, ctx: ctx, stall: s.r.u.opt.StallTimeout, off: off, end: off + n}
	if n == 0 {
		return r, nil
	}
	return r, r.connect()
}

// rangeReader is a range of the archive.
type rangeReader struct {
	s        *source
	ctx      context.Context
	stall    time.Duration
	off, end int64
	body     io.ReadCloser
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	failures int // in a row, without a byte between them
}

var errStalled = errors.New("no bytes for too long")

// connect asks for what is missing. The SDK retries the request; what breaks later is this reader's to repeat.
func (r *rangeReader) connect() error {
	ctx, cancel := context.WithCancelCause(r.ctx)
	r.cancel = cancel
	r.timer = time.AfterFunc(3*r.stall, func() { cancel(errStalled) }) // the retries of the request, too
	j := &r.s.r.j
	out, err := r.s.r.s3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &j.Bucket, Key: &j.Key, IfMatch: &r.s.etag, ExpectedBucketOwner: optional(j.BucketOwner),
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", r.off, r.end-1)),
	})
	r.timer.Stop()
	switch {
	case isAnother(err):
		err = r.s.changed()
	case err != nil && errors.Is(context.Cause(ctx), errStalled):
		err = &Error{Op: "read archive", Kind: KindStorageUnavailable, Err: errStalled}
	case err != nil:
		err = storageError("read archive", err)
	case !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-%d/", r.off, r.end-1)):
		out.Body.Close()
		err = &Error{Op: "read archive", Kind: KindStorageUnavailable, Reason: "S3 answered another range"}
	default:
		r.body = out.Body
	}
	if err != nil {
		cancel(nil)
	}
	return err
}

func (r *rangeReader) Read(p []byte) (int, error) {
	for {
		if r.off == r.end {
			return 0, io.EOF
		}
		if r.body == nil {
			if err := r.connect(); err != nil {
				return 0, err
			}
		}
		r.timer.Reset(r.stall)
		n, err := r.body.Read(p[:min(int64(len(p)), r.end-r.off)])
		r.timer.Stop()
		if r.off += int64(n); n > 0 {
			r.failures = 0
		}
		if r.off == r.end { // the end of a whole answer lets its connection be used again
			_, _ = r.body.Read(make([]byte, 1))
		}
		if err != nil || r.off == r.end {
			r.drop()
		}
		if n > 0 {
			return n, nil
		}
		if err := r.failed(err); err != nil {
			return 0, err
		}
	}
}

// failed waits before another request for the rest.
func (r *rangeReader) failed(err error) error {
	if err == nil {
		return nil
	}
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if r.failures++; r.failures >= attempts {
		return &Error{Op: "read archive", Kind: KindStorageUnavailable, Reason: "answers break off", Err: bucket.Innermost(err)}
	}
	select {
	case <-time.After(time.Duration(r.failures) * 50 * time.Millisecond):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func (r *rangeReader) drop() {
	if r.body != nil {
		r.body.Close()
		r.cancel(nil)
		r.timer.Stop()
		r.body = nil
	}
}

// Close ends the reading. What is left of an answer is not read.
func (r *rangeReader) Close() error {
	r.drop()
	return nil
}

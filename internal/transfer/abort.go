package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// abortOwn aborts all of this owner's uploads for the key.
func (r *run) abortOwn(ctx context.Context) error {
	found, err := r.uploads(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range found {
		if c.owned {
			errs = append(errs, r.abortID(ctx, c.id))
		}
	}
	r.abortOrphans(ctx, found)
	return errors.Join(errs...)
}

// abortOrphans aborts what a crash between CreateMultipartUpload and its first label left. Such an upload names nobody,
// so only its age and its emptiness speak: no process of this project is that slow, and nobody else's work is lost. Where
// the key is this owner's alone it can be nobody else's, however young: at most a second process of this owner has to
// begin again.
func (r *run) abortOrphans(ctx context.Context, found []candidate) {
	for _, c := range found {
		if !c.owned && c.empty && (r.o.Exclusive || time.Since(c.initiated) >= r.t.opt.OrphanAge) {
			if err := r.abortID(ctx, c.id); err != nil {
				r.t.opt.Logger.Warn("orphaned upload not aborted", "key", r.o.Key, "error", err)
			}
		}
	}
}

// abortID aborts one upload, with a context of its own when the caller's has ended.
func (r *run) abortID(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	_, err := attempt(ctx, r.budget, "abort upload", func(ctx context.Context) (*s3.AbortMultipartUploadOutput, error) {
		return r.t.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: &r.o.Bucket, Key: &r.o.Key, UploadId: &id, ExpectedBucketOwner: r.o.expectedOwner(),
		}, once)
	})
	if isKindGone(err) {
		return nil
	}
	return err
}

// isKindGone: the upload was completed or aborted meanwhile.
func isKindGone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.gone
}

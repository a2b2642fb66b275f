package executions

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
	"github.com/scenario-archive/scenario-archive/internal/unpack"
)

// UploadAborter makes a Cleaner's AbortUpload: the archive's unfinished upload goes, and those of its files. bucketOwner is
// the account that must own the bucket; "" checks nothing.
func UploadAborter(client *s3.Client, bucketOwner string, log *slog.Logger) func(context.Context, archive.Destination, string) error {
	t, u := transfer.New(client, transfer.Options{Logger: log}), unpack.New(client, unpack.Options{Logger: log})
	return func(ctx context.Context, d archive.Destination, executionARN string) error {
		owner := archive.Execution{ID: executionARN}.Owner()
		err := t.Abort(ctx, transfer.Object{Bucket: d.Bucket, Key: d.Key, Owner: owner, BucketOwner: bucketOwner})
		if d.Unpack == nil {
			return err
		}
		return errors.Join(err, u.Abort(ctx, unpack.Job{
			Bucket: d.Bucket, Key: d.Key, Prefix: d.Unpack.Prefix, Owner: owner,
			Exclusive: d.Unpack.Exclusive, BucketOwner: bucketOwner,
		}))
	}
}

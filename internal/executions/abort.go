package executions

import (
	"context"
	"log/slog"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

// UploadAborter makes a Cleaner's AbortUpload. bucketOwner is the account that must own the bucket; "" checks nothing.
func UploadAborter(client transfer.S3, bucketOwner string, log *slog.Logger) (func(context.Context, archive.Destination, string) error, error) {
	t, err := transfer.New(client, transfer.Options{Logger: log})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, d archive.Destination, executionARN string) error {
		return t.Abort(ctx, transfer.Object{Bucket: d.Bucket, Key: d.Key, Owner: executionARN, BucketOwner: bucketOwner})
	}, nil
}

package executions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
	"github.com/scenario-archive/scenario-archive/internal/unpack"
)

// FromEnvironment is what starts the executions of STATE_MACHINE_ARN and BATCH_STATE_MACHINE_ARN, and what cleans up
// after them in the bucket. The Cleaner has no CancelJob.
func FromEnvironment(cfg aws.Config, getenv func(string) string, storage bucket.Bucket, log *slog.Logger) (Starter, Cleaner, error) {
	s, c := Starter{Lists: batch.Storage{Bucket: storage}}, Cleaner{Objects: storage}
	machines := sfn.NewFromConfig(cfg)
	var err error
	if s.Archives, err = New(machines, getenv("STATE_MACHINE_ARN")); err != nil {
		return s, c, fmt.Errorf("STATE_MACHINE_ARN: %w", err)
	}
	if s.Batches, err = New(machines, getenv("BATCH_STATE_MACHINE_ARN")); err != nil {
		return s, c, fmt.Errorf("BATCH_STATE_MACHINE_ARN: %w", err)
	}
	c.AbortUpload = uploadAborter(bucket.Client(cfg, getenv), storage.Owner, log)
	return s, c, nil
}

// uploadAborter makes a Cleaner's AbortUpload: the archive's unfinished upload goes, and those of its files. bucketOwner is
// the account that must own the bucket; "" checks nothing.
func uploadAborter(client *s3.Client, bucketOwner string, log *slog.Logger) func(context.Context, archive.Destination, string) error {
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

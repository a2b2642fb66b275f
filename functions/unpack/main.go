// Command unpack is the Lambda function that makes the files of an archive in S3 into objects, or ends what is left of
// such an unpacking.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
	"github.com/scenario-archive/scenario-archive/internal/unpack"
)

func main() {
	debug.SetGCPercent(transfer.GCPercent)
	step.Start("unpack", fromEnvironment)
}

// defaultConcurrency is how many objects are written at once: what takes S3 some 20 ms each is then 3,000 a second.
const defaultConcurrency = 64

func fromEnvironment(getenv func(string) string) (step.Logic[archive.UnpackInput, archive.UnpackOutput], error) {
	if getenv("BUCKET") == "" {
		return nil, errors.New("BUCKET is not set: it names the bucket that archives are in")
	}
	o, err := options(getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	return handler{
		client: bucket.Client(cfg, getenv, transfer.TuneStorage(o.Concurrency)), options: o,
		bucket: getenv("BUCKET"), owner: getenv("BUCKET_OWNER"), kmsKeyID: getenv("KMS_KEY_ID"),
	}.unpack, nil
}

// options reads what the deployment may tune.
func options(getenv func(string) string) (o unpack.Options, err error) {
	if o.ProgressInterval, err = step.ProgressInterval(getenv); err != nil {
		return o, err
	}
	o.Concurrency, err = step.Count(getenv, "UNPACK_CONCURRENCY")
	o.Concurrency = cmp.Or(o.Concurrency, defaultConcurrency)
	return o, err
}

// Command unpack is the Lambda function that makes the files of an archive in S3 into objects, or ends what is left of
// such an unpacking.
package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

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

const (
	// defaultProgressInterval keeps an unpacking of a quarter of an hour at 90 lines of progress.
	defaultProgressInterval = 10 * time.Second
	// defaultConcurrency is how many objects are written at once: what takes S3 some 20 ms each is then 3,000 a second.
	defaultConcurrency = 64
)

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
func options(getenv func(string) string) (unpack.Options, error) {
	o := unpack.Options{ProgressInterval: defaultProgressInterval, Concurrency: defaultConcurrency}
	var err error
	if v := getenv("PROGRESS_INTERVAL"); v != "" {
		if o.ProgressInterval, err = time.ParseDuration(v); err != nil || o.ProgressInterval <= 0 {
			return o, fmt.Errorf("PROGRESS_INTERVAL is %q; it must be a duration such as 10s", v)
		}
	}
	if v := getenv("UNPACK_CONCURRENCY"); v != "" {
		if o.Concurrency, err = strconv.Atoi(v); err != nil || o.Concurrency < 1 {
			return o, fmt.Errorf("UNPACK_CONCURRENCY is %q; it must be a whole number from 1", v)
		}
	}
	return o, nil
}

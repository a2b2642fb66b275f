// Command transfer is the Lambda function that streams an archive from its URL into S3, or ends what is left of such
// a transfer.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

func main() {
	debug.SetGCPercent(transfer.GCPercent)
	step.Start("transfer", fromEnvironment)
}

func fromEnvironment(getenv func(string) string) (step.Logic[archive.TransferInput, archive.TransferOutput], error) {
	if getenv("BUCKET") == "" {
		return nil, errors.New("BUCKET is not set: it names the bucket that archives go to")
	}
	options, err := options(getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	client := bucket.Client(cfg, getenv, transfer.TuneStorage(options.Concurrency))
	h := handler{
		mover:  func(log *slog.Logger, key string) mover { return newMover(client, options, log, key) },
		bucket: getenv("BUCKET"), owner: getenv("BUCKET_OWNER"), kmsKeyID: getenv("KMS_KEY_ID"),
	}
	return h.transfer, nil
}

// newMover makes the transfer of one invocation: its progress goes to that invocation's log.
func newMover(client *s3.Client, o transfer.Options, log *slog.Logger, key string) mover {
	o.Logger = log
	o.Progress = func(p transfer.Progress) {
		log.Info("transfer progress", "bytes", p.Bytes, "size", p.Size, "inFlight", p.InFlight, "key", key)
	}
	return transfer.New(client, o)
}

// options reads what the deployment may tune. Half of the function's memory may be used for buffers: they are needed
// only where a part cannot stream, and the rest is for everything else.
func options(getenv func(string) string) (transfer.Options, error) {
	o := transfer.Options{AllowLoopback: getenv("SOURCE_ALLOW_LOOPBACK_HTTP") == "true"}
	if hosts := getenv("ALLOWED_ARCHIVE_HOSTS"); hosts != "" {
		for host := range strings.SplitSeq(hosts, ",") {
			o.AllowedHosts = append(o.AllowedHosts, strings.TrimSpace(host))
		}
	}
	var err error
	if o.ProgressInterval, err = step.ProgressInterval(getenv); err != nil {
		return o, err
	}
	if o.Concurrency, err = step.Count(getenv, "RANGES_IN_FLIGHT"); err != nil {
		return o, err
	}
	if v := getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"); v != "" {
		megabytes, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return o, fmt.Errorf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE is %q, which is no number of MB", v)
		}
		o.MaxMemory = megabytes << 20 / 2
	}
	return o, nil
}

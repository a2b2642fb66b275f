package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/credentials"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/rest"
	"github.com/scenario-archive/scenario-archive/internal/scenarioclient"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// maxLinkLifetime is what a link is sure to last: it ends with the credentials that signed it, and the function may
	// have an hour's of them left, or a little more.
	maxLinkLifetime = time.Hour
	// A call and its repeats stay under the 29 s that the gateway waits.
	callTimeout  = 6 * time.Second
	callAttempts = 3
)

// handler is the API, or what says why there is none: a function that exits would only show that it exited.
func handler(getenv func(string) string, log *slog.Logger) http.Handler {
	h, err := fromEnvironment(getenv, log)
	if err != nil {
		return rest.Broken(log, err)
	}
	return h
}

func fromEnvironment(getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	o, lifetime, err := options(getenv)
	if err != nil {
		return nil, err
	}
	o.Logger = log
	sdk := []func(*config.LoadOptions) error{config.WithRetryMaxAttempts(callAttempts),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout))}
	cfg, err := config.LoadDefaultConfig(context.Background(), sdk...)
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	if o.Archives, err = executions.New(sfn.NewFromConfig(cfg), getenv("STATE_MACHINE_ARN")); err != nil {
		return nil, fmt.Errorf("STATE_MACHINE_ARN: %w", err)
	}
	client, err := scenarioClient(getenv)
	if err != nil {
		return nil, err
	}
	if client != nil {
		o.CancelJob, o.Estimate = client.CancelJob, client.EstimateArchive
	}
	if o.Batches, err = executions.New(sfn.NewFromConfig(cfg), getenv("BATCH_STATE_MACHINE_ARN")); err != nil {
		return nil, fmt.Errorf("BATCH_STATE_MACHINE_ARN: %w", err)
	}
	storage, err := bucket.FromEnvironment(getenv, sdk...)
	if err != nil {
		return nil, err
	}
	o.Lists, o.Objects, o.Bucket, o.LinkLifetime = batch.Storage{Bucket: storage}, storage, storage, lifetime
	o.AbortUpload, err = executions.UploadAborter(bucket.Client(cfg, getenv), getenv("BUCKET_OWNER"), log)
	return rest.New(o), err
}

// options reads what the deployment may choose.
func options(getenv func(string) string) (o rest.Options, lifetime time.Duration, err error) {
	lifetime = rest.DefaultLinkLifetime
	if getenv("BUCKET") == "" {
		return o, 0, errors.New("BUCKET is not set: it names the bucket that archives go to")
	}
	if v := getenv("LINK_LIFETIME"); v != "" {
		lifetime, err = time.ParseDuration(v)
		if err != nil || lifetime < time.Second || lifetime > maxLinkLifetime {
			return o, 0, fmt.Errorf("LINK_LIFETIME is %q; it must be a duration from 1s to 1h, such as 15m", v)
		}
	}
	return o, lifetime, nil
}

// scenarioClient is nil for a deployment whose API was not given Scenario's credentials: stopping works without.
func scenarioClient(getenv func(string) string) (*scenario.Client, error) {
	c, err := scenarioclient.FromEnvironment(getenv)
	if errors.Is(err, credentials.ErrNone) {
		return nil, nil
	}
	return c, err
}

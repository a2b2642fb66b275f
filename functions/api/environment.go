package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/credentials"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/rest"
	"github.com/scenario-archive/scenario-archive/internal/rest/page"
	"github.com/scenario-archive/scenario-archive/internal/scenarioclient"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	defaultLinkLifetime = 15 * time.Minute
	// maxLinkLifetime is what the credentials of a role can last; SigV4 itself allows seven days.
	maxLinkLifetime = 12 * time.Hour
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
	if o.CancelJob, err = canceler(getenv); err != nil {
		return nil, err
	}
	if arn := getenv("BATCH_STATE_MACHINE_ARN"); arn != "" {
		if o.Batches, err = executions.New(sfn.NewFromConfig(cfg), arn); err != nil {
			return nil, fmt.Errorf("BATCH_STATE_MACHINE_ARN: %w", err)
		}
	}
	storage, err := bucket.FromEnvironment(getenv, sdk...)
	if err != nil {
		return nil, err
	}
	o.Link = rest.Linker(storage, lifetime, time.Now)
	o.PutList = batch.Storage{Bucket: storage}.PutList
	if o.AbortUpload, err = aborter(bucket.Client(cfg, getenv), getenv("BUCKET_OWNER"), log); err != nil {
		return nil, err
	}
	return withPage(rest.New(o), getenv("PAGE"))
}

// withPage puts the page in front of the API when the deployment wants it.
func withPage(api http.Handler, wanted string) (http.Handler, error) {
	switch wanted {
	case "", "off":
		return api, nil
	case "on":
		return page.Handler(api), nil
	}
	return nil, fmt.Errorf("PAGE is %q; it must be on or off", wanted)
}

// options reads what the deployment may choose.
func options(getenv func(string) string) (o rest.Options, lifetime time.Duration, err error) {
	lifetime = defaultLinkLifetime
	if getenv("BUCKET") == "" {
		return o, 0, errors.New("BUCKET is not set: it names the bucket that archives go to")
	}
	if v := getenv("LINK_LIFETIME"); v != "" {
		lifetime, err = time.ParseDuration(v)
		if err != nil || lifetime < time.Second || lifetime > maxLinkLifetime {
			return o, 0, fmt.Errorf("LINK_LIFETIME is %q; it must be a duration from 1s to 12h, such as 15m", v)
		}
	}
	for origin := range strings.SplitSeq(getenv("CORS_ALLOW_ORIGINS"), ",") {
		if origin = strings.TrimSpace(origin); origin != "" {
			o.AllowOrigins = append(o.AllowOrigins, origin)
		}
	}
	return o, lifetime, nil
}

// canceler is nil for a deployment whose API was not given Scenario's credentials: stopping works without.
func canceler(getenv func(string) string) (func(context.Context, scenario.JobRef) error, error) {
	c, err := scenarioclient.FromEnvironment(getenv)
	if errors.Is(err, credentials.ErrNone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.CancelJob, nil
}

func aborter(storage *s3.Client, bucketOwner string, log *slog.Logger) (func(context.Context, archive.Destination, string) error, error) {
	t, err := transfer.New(storage, transfer.Options{Logger: log})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, d archive.Destination, executionARN string) error {
		return t.Abort(ctx, transfer.Object{Bucket: d.Bucket, Key: d.Key, Owner: executionARN, BucketOwner: bucketOwner})
	}, nil
}

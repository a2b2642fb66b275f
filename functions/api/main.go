// Command api is the Lambda function behind API Gateway: archives are started, looked up, listed and stopped by HTTP,
// and syncs listed and made.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
	"github.com/scenario-archive/scenario-archive/internal/rest"
	"github.com/scenario-archive/scenario-archive/internal/scenarioclient"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
)

const (
	// maxLinkLifetime is what a link is sure to last: it ends with the credentials that signed it, and the function may
	// have an hour's of them left, or a little more.
	maxLinkLifetime = time.Hour
	// A call and its repeats stay under the 29 s that the gateway waits.
	callTimeout  = 6 * time.Second
	callAttempts = 3
)

func main() {
	log := telemetry.NewLogger("api")
	lambda.Start(httpapi.Handler(handler(os.Getenv, log)))
}

// handler is the API, or what says why there is none: a function that exits would only show that it exited.
func handler(getenv func(string) string, log *slog.Logger) http.Handler {
	h, err := fromEnvironment(getenv, log)
	if err != nil {
		return rest.Broken(log, err)
	}
	return h
}

func fromEnvironment(getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	lifetime, err := linkLifetime(getenv("LINK_LIFETIME"))
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(callAttempts),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout)))
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	storage, err := bucket.New(cfg, getenv)
	if err != nil {
		return nil, err
	}
	o := rest.Options{Bucket: storage, LinkLifetime: lifetime, Logger: log}
	if o.Starter, o.Cleaner, err = executions.FromEnvironment(cfg, getenv, storage, log); err != nil {
		return nil, err
	}
	client, err := scenarioclient.FromEnvironment(getenv)
	switch {
	case err == nil:
		o.CancelJob, o.Estimate = client.CancelJob, client.EstimateArchive
	case !errors.Is(err, scenarioclient.ErrNoCredentials): // a deployment whose API was not given Scenario's credentials can stop, too
		return nil, err
	}
	return rest.New(o), nil
}

// linkLifetime reads what the deployment may choose.
func linkLifetime(text string) (time.Duration, error) {
	if text == "" {
		return rest.DefaultLinkLifetime, nil
	}
	lifetime, err := time.ParseDuration(text)
	if err != nil || lifetime < time.Second || lifetime > maxLinkLifetime {
		return 0, fmt.Errorf("LINK_LIFETIME is %q; it must be a duration from 1s to 1h, such as 15m", text)
	}
	return lifetime, nil
}

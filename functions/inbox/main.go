// Command inbox is the Lambda function that gets S3's events about objects under requests/: each request dropped there becomes an
// execution.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
)

// answerTimeout is for the headers of an answer; a long list takes its time to be read.
const answerTimeout = 10 * time.Second

func main() {
	step.LimitMemory()
	log := telemetry.NewLogger("inbox")
	lambda.Start(function(os.Getenv, log))
}

// function is the Lambda handler. When the deployment lacks something, every event is answered with what: Lambda keeps
// the events for another try.
func function(getenv func(string) string, log *slog.Logger) func(context.Context, json.RawMessage) error {
	in, err := fromEnvironment(getenv, log)
	if err != nil {
		return func(context.Context, json.RawMessage) error {
			return step.LambdaError(archive.NewError(archive.Misconfigured, err, "the function is not set up: %v", err))
		}
	}
	return in.handle
}

func fromEnvironment(getenv func(string) string, log *slog.Logger) (*inbox, error) {
	client := awshttp.NewBuildableClient()
	client.GetTransport().ResponseHeaderTimeout = answerTimeout
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(client))
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	storage, err := bucket.New(cfg, getenv)
	if err != nil {
		return nil, err
	}
	in := &inbox{bucket: storage, log: log}
	if in.starter, in.cleaner, err = executions.FromEnvironment(cfg, getenv, storage, log); err != nil {
		return nil, err
	}
	if arn := getenv("SYNC_STATE_MACHINE_ARN"); arn != "" {
		if in.syncs, err = executions.New(sfn.NewFromConfig(cfg), arn); err != nil {
			return nil, fmt.Errorf("SYNC_STATE_MACHINE_ARN: %w", err)
		}
	}
	return in, nil
}

// Command changes is the Lambda function that finds out what a sync has to fetch.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/scenarioclient"
	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/sync"
)

func main() {
	step.LimitMemory()
	step.Start("changes", fromEnvironment)
}

func fromEnvironment(getenv func(string) string) (step.Logic[sync.ChangesInput, sync.Step], error) {
	storage, err := bucket.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	client, err := scenarioclient.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	return handler{sync.Engine{Bucket: storage, Scenario: client}, sfn.NewFromConfig(cfg)}.changes, nil
}

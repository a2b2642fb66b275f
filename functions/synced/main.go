// Command synced is the Lambda function that records what a sync has fetched.
package main

import (
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/sync"
)

func main() {
	step.LimitMemory()
	step.Start("synced", fromEnvironment)
}

func fromEnvironment(getenv func(string) string) (step.Logic[sync.SyncedInput, sync.Step], error) {
	storage, err := bucket.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	return handler{sync.Engine{Bucket: storage}}.synced, nil
}

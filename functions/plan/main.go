// Command plan is the Lambda function that reads a batch's list and decides which archive gets which assets.
package main

import (
	"fmt"
	"strconv"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/step"
)

func main() { step.Start("plan", fromEnvironment) }

func fromEnvironment(getenv func(string) string) (step.Logic[batch.PlanInput, batch.Plan], error) {
	storage, err := bucket.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	p := batch.Planner{Storage: batch.Storage{Bucket: storage}, Prefix: getenv("KEY_PREFIX")}
	if v := getenv("MAX_CONCURRENCY"); v != "" {
		if p.MaxConcurrency, err = strconv.Atoi(v); err != nil || p.MaxConcurrency < 1 || p.MaxConcurrency > batch.MostConcurrency {
			return nil, fmt.Errorf("MAX_CONCURRENCY is %q; it must be a whole number from 1 to %d", v, batch.MostConcurrency)
		}
	}
	if v := getenv("TOLERATED_FAILURE_PERCENTAGE"); v != "" {
		percentage, err := strconv.ParseFloat(v, 64)
		if err != nil || !(percentage >= 0 && percentage <= 100) {
			return nil, fmt.Errorf("TOLERATED_FAILURE_PERCENTAGE is %q; it must be a number from 0 to 100", v)
		}
		p.ToleratedFailurePercentage = &percentage
	}
	return handler{p}.plan, nil
}

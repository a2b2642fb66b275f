// Command launch is the Lambda function that asks Scenario for an archive.
package main

import (
	"errors"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/scenarioclient"
	"github.com/scenario-archive/scenario-archive/internal/step"
)

func main() { step.Start("launch", fromEnvironment) }

func fromEnvironment(getenv func(string) string) (step.Logic[archive.LaunchInput, archive.LaunchOutput], error) {
	if getenv("BUCKET") == "" {
		return nil, errors.New("BUCKET is not set: it names the bucket that archives go to")
	}
	c, err := scenarioclient.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	h := handler{scenario: c, bucket: getenv("BUCKET"), prefix: getenv("KEY_PREFIX"), now: time.Now}
	return h.launch, nil
}

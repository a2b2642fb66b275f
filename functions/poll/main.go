// Command poll is the Lambda function that looks at a job once and says what to do next.
package main

import (
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/scenarioclient"
	"github.com/scenario-archive/scenario-archive/internal/step"
)

func main() { step.Start("poll", fromEnvironment) }

func fromEnvironment(getenv func(string) string) (step.Logic[archive.PollInput, archive.PollOutput], error) {
	c, err := scenarioclient.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	return handler{scenario: c, now: time.Now}.poll, nil
}

// Package client makes the functions' Scenario client from their environment.
package scenarioclient

import (
	"time"

	"github.com/scenario-archive/scenario-archive/internal/credentials"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// A function is paid by the millisecond, and the state machine waits for free: so the client tries again only where
// a moment helps, and leaves longer waits to the state machine. Three attempts of 15 s and the waits between them
// stay under the functions' own limit of a minute.
const (
	maxAttempts    = 3
	requestTimeout = 15 * time.Second
	maxRetryWait   = 3 * time.Second
)

// FromEnvironment makes a client for SCENARIO_BASE_URL (the public API when unset) with the deployment's credentials
// and the launch endpoint that SCENARIO_LAUNCH_ENDPOINT names: archive, download, or unset for whichever is there.
func FromEnvironment(getenv func(string) string) (*scenario.Client, error) {
	c, err := credentials.FromEnvironment(getenv)
	if err != nil {
		return nil, err
	}
	return scenario.New(scenario.Options{
		BaseURL:        getenv("SCENARIO_BASE_URL"),
		Credentials:    c,
		Endpoint:       scenario.Endpoint(getenv("SCENARIO_LAUNCH_ENDPOINT")),
		MaxAttempts:    maxAttempts,
		MaxRetryWait:   maxRetryWait,
		RequestTimeout: requestTimeout,
	})
}

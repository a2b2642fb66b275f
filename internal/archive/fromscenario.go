package archive

import (
	"errors"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// FromScenario turns an error of the Scenario client into the named error that a handler may return.
func FromScenario(err error) error {
	if named := (*Error)(nil); errors.As(err, &named) { // the credentials could not be had, so Scenario was not asked
		return named
	}
	var e *scenario.Error
	if !errors.As(err, &e) {
		return NewError(Internal, err, "the call of Scenario's API failed in an unexpected way: %v", err)
	}
	if e.StatusCode >= 300 && e.StatusCode <= 399 {
		return NewError(Misconfigured, err, "the API's base URL is wrong: %v. Set SCENARIO_BASE_URL (the deployment's "+
			"parameter ScenarioBaseUrl) to where it does not redirect", e)
	}
	switch e.Kind {
	case scenario.KindInvalid:
		return NewError(RequestInvalid, err, "Scenario refused the request: %v. Correct the request", e)
	case scenario.KindNotFound:
		return NewError(RequestInvalid, err, "Scenario does not know what was asked for: %v. Check the IDs, the project "+
			"and the API's base URL", e)
	case scenario.KindUnauthorized:
		return NewError(Unauthorized, err, "Scenario refused the API key: %v. Check the key and the secret (the "+
			"deployment's secret, or SCENARIO_API_KEY and SCENARIO_API_SECRET) and what they may do", e)
	case scenario.KindRateLimited:
		return NewError(RateLimited, err, "Scenario asks for fewer requests or fewer jobs at once: %v", e)
	case scenario.KindUncertain:
		return NewError(LaunchUncertain, err, "the answer to the launch was lost: %v. A job may be running at "+
			"Scenario; it was not launched twice", e)
	default:
		return NewError(ScenarioUnavailable, err, "Scenario's API is not available: %v. Try again later", e)
	}
}

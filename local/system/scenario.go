package system

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Scenario is the API that the functions call, and the credentials for it.
type Scenario struct{ BaseURL, Key, Secret string }

// DefaultBaseURL is the public API.
const DefaultBaseURL = "https://api.cloud.scenario.com/v1"

// The stand-in's credentials, which protect nothing.
const (
	standInKey    = "local-key"
	standInSecret = "local-secret"
)

// ScenarioFromEnvironment returns what the person has set: the real API when there are a key and a secret, another base
// URL when there is one, or the zero value for the stand-in.
func ScenarioFromEnvironment(getenv func(string) string) (Scenario, error) {
	s := Scenario{getenv("SCENARIO_BASE_URL"), getenv("SCENARIO_API_KEY"), getenv("SCENARIO_API_SECRET")}
	switch {
	case s.Key != "" && s.Secret == "":
		return Scenario{}, errors.New("SCENARIO_API_KEY is set and SCENARIO_API_SECRET is not: set both for the real " +
			"Scenario, or neither for the stand-in")
	case s.Key == "" && s.Secret != "":
		return Scenario{}, errors.New("SCENARIO_API_SECRET is set and SCENARIO_API_KEY is not: set both for the real " +
			"Scenario, or neither for the stand-in")
	case s == Scenario{}:
		return s, nil
	case s.BaseURL == "":
		s.BaseURL = DefaultBaseURL
	case s.Key == "": // another stand-in
		s.Key, s.Secret = standInKey, standInSecret
	}
	return s, s.check()
}

func (s Scenario) check() error {
	u, err := url.Parse(s.BaseURL)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("SCENARIO_BASE_URL is not a URL such as %s", DefaultBaseURL)
	}
	return nil
}

// Public says whether it is Scenario's own, where the sample request's assets do not exist.
func (s Scenario) Public() bool {
	u, err := url.Parse(s.BaseURL)
	return err == nil && (u.Hostname() == "scenario.com" || strings.HasSuffix(u.Hostname(), ".scenario.com"))
}

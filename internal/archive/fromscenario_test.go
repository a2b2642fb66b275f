package archive

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario"
)

func TestFromScenario(t *testing.T) {
	t.Parallel()
	of := func(k scenario.Kind) error {
		return fmt.Errorf("outer: %w", &scenario.Error{Op: "launch archive", Kind: k, StatusCode: 499, Reason: "the API's words",
			RetryAfter: time.Minute, Action: "jobs", Limit: 5})
	}
	for _, c := range []struct {
		err  error
		name Name
		text string
	}{
		{of(scenario.KindInvalid), "RequestInvalid", "Correct the request"},
		{of(scenario.KindNotFound), "RequestInvalid", "Check the IDs"},
		{of(scenario.KindUnauthorized), "Unauthorized", "SCENARIO_API_KEY"},
		{of(scenario.KindRateLimited), "RateLimited", "the limit of jobs is 5"},
		{of(scenario.KindUncertain), "LaunchUncertain", "not launched twice"},
		{of(scenario.KindUnavailable), "ScenarioUnavailable", "Try again later"},
		{of(scenario.KindCanceled), "ScenarioUnavailable", "Try again later"},
	} {
		got := FromScenario(c.err)
		if name := NameOf(got); name != c.name {
			t.Errorf("%v: got %s, want %s", c.err, name, c.name)
		}
		if !strings.Contains(got.Error(), c.text) || !strings.Contains(got.Error(), "the API's words") {
			t.Errorf("%s: %q does not say %q and the API's words", c.name, got, c.text)
		}
		if !errors.Is(got, c.err) {
			t.Errorf("%s: the cause is lost", c.name)
		}
	}
}

func TestFromScenarioOtherErrors(t *testing.T) {
	t.Parallel()
	if got := FromScenario(errors.New("oops")); NameOf(got) != Internal {
		t.Errorf("got %T", got)
	}
	moved := FromScenario(&scenario.Error{Op: "launch archive", Kind: scenario.KindInvalid, StatusCode: 301, Reason: "a redirect"})
	if NameOf(moved) != Misconfigured || !strings.Contains(moved.Error(), "SCENARIO_BASE_URL") {
		t.Errorf("got %s: %v", NameOf(moved), moved)
	}
	set := NewError(Misconfigured, nil, "no secret")
	got := FromScenario(&scenario.Error{Kind: scenario.KindUnauthorized, Err: set})
	if NameOf(got) != Misconfigured || got.Error() != "no secret" {
		t.Errorf("got %T: %v", got, got)
	}
}

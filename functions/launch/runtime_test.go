package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func environment(s *scenariotest.Server, more ...string) map[string]string {
	env := map[string]string{"SCENARIO_BASE_URL": s.BaseURL(), "SCENARIO_API_KEY": scenariotest.DefaultKey,
		"SCENARIO_API_SECRET": scenariotest.DefaultSecret, "BUCKET": "bucket", "LOG_LEVEL": "debug"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

// The function as it is deployed: its own process, its environment, the event that `sam local invoke` sends, and an
// API that answers as Scenario does.
func TestTheFunctionLaunchesAJob(t *testing.T) {
	t.Parallel()
	api := scenariotest.NewServer(scenariotest.Options{})
	t.Cleanup(api.Close)
	event, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	f := lambdatest.Start(t, environment(api))
	a := f.Invoke(t, json.RawMessage(event))
	var out archive.LaunchOutput
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Failed {
		t.Fatalf("got %s", a.Body)
	}
	jobs := api.Jobs()
	if len(jobs) != 1 || jobs[0].ID != out.Job.ID || jobs[0].Assets != 3 {
		t.Errorf("Scenario has %+v; the function answers %s", jobs, a.Body)
	}
	if out.Destination.Bucket != "bucket" || out.Destination.Key != "characters/sample.zip" {
		t.Errorf("destination %+v", out.Destination)
	}
}

func TestTheFunctionsErrors(t *testing.T) {
	t.Parallel()
	const good = `{"query":{"assetIds":["asset_1"]}}`
	fault := func(f scenariotest.Fault) []scenariotest.Fault {
		f.Operation = scenariotest.OpLaunchArchive
		return []scenariotest.Fault{f}
	}
	for _, c := range []struct {
		name, request, want string
		faults              []scenariotest.Fault
		env                 []string
	}{
		{name: "nothing asked for", request: `{"query":{}}`, want: "RequestInvalid"},
		{name: "an asset that Scenario does not know", request: `{"query":{"assetIds":["asset_missing_1"]}}`, want: "RequestInvalid"},
		{name: "wrong secret", request: good, want: "Unauthorized", env: []string{"SCENARIO_API_SECRET", "hunter2"}},
		{name: "rate limit", request: good, want: "RateLimited",
			faults: fault(scenariotest.Fault{Status: 429, RetryAfter: "60"})},
		{name: "server error", request: good, want: "LaunchUncertain", faults: fault(scenariotest.Fault{Status: 502})},
		{name: "connection lost after the launch", request: good, want: "LaunchUncertain",
			faults: fault(scenariotest.Fault{Drop: scenariotest.DropAfter})},
		{name: "no credentials", request: good, want: "Misconfigured", env: []string{"SCENARIO_API_KEY", "", "SCENARIO_API_SECRET", ""}},
		{name: "no bucket", request: good, want: "Misconfigured", env: []string{"BUCKET", ""}},
		{name: "an endpoint that does not exist", request: good, want: "Misconfigured", env: []string{"SCENARIO_LAUNCH_ENDPOINT", "zip"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			api := scenariotest.NewServer(scenariotest.Options{Faults: c.faults})
			t.Cleanup(api.Close)
			f := lambdatest.Start(t, environment(api, c.env...))
			a := f.Invoke(t, archive.LaunchInput{Request: json.RawMessage(c.request), Execution: archive.Execution{ID: "arn:1", Name: "run-1"}})
			if a.ErrorType() != c.want {
				t.Errorf("got %s, want %s", a.Body, c.want)
			}
			if all := f.Logs() + string(a.Body); strings.Contains(all, "hunter2") || strings.Contains(all, "Basic ") {
				t.Errorf("a secret is in the log or the answer: %s", all)
			}
		})
	}
}

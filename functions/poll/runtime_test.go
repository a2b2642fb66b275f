package main

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/scenario"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func start(t *testing.T, o scenariotest.Options, secret string) (*scenariotest.Server, *lambdatest.Function) {
	t.Helper()
	api := scenariotest.NewServer(o)
	t.Cleanup(api.Close)
	return api, lambdatest.Start(t, map[string]string{"SCENARIO_BASE_URL": api.BaseURL(), "LOG_LEVEL": "debug",
		"SCENARIO_API_KEY": scenariotest.DefaultKey, "SCENARIO_API_SECRET": secret})
}

func pollOnce(t *testing.T, f *lambdatest.Function, jobID string) (archive.PollOutput, lambdatest.Answer) {
	t.Helper()
	now := time.Now()
	a := f.Invoke(t, archive.PollInput{Job: archive.Job{ID: jobID, Endpoint: scenario.EndpointArchive},
		LaunchedAt: now.Add(-12 * time.Second), Deadline: now.Add(time.Hour)})
	var out archive.PollOutput
	if !a.Failed {
		if err := json.Unmarshal(a.Body, &out); err != nil {
			t.Fatalf("%v: %s", err, a.Body)
		}
	}
	return out, a
}

// The function as it is deployed, over the life of a job.
func TestTheFunctionFollowsAJob(t *testing.T) {
	t.Parallel()
	started, passed := time.Now(), atomic.Int64{} // Scenario's clock
	now := func() time.Time { return started.Add(time.Duration(passed.Load())) }
	api, f := start(t, scenariotest.Options{JobDuration: time.Minute, Now: now}, scenariotest.DefaultSecret)
	c, err := scenario.New(scenario.Options{BaseURL: api.BaseURL(),
		Credentials: scenario.StaticCredentials(scenariotest.DefaultKey, scenariotest.DefaultSecret)})
	if err != nil {
		t.Fatal(err)
	}
	job, err := c.LaunchArchive(t.Context(), scenario.ArchiveRequest{Query: scenario.Query{AssetIDs: []string{"asset_1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := pollOnce(t, f, job.ID); out.Status != archive.PollRunning || out.ArchiveURL != "" || out.WaitSeconds != 3 {
		t.Errorf("at the start: %+v", out)
	}
	passed.Add(int64(30 * time.Second))
	if out, _ := pollOnce(t, f, job.ID); out.Status != archive.PollRunning || out.Progress <= 0 || out.Progress >= 1 {
		t.Errorf("half way: %+v", out)
	}
	passed.Add(int64(time.Minute))
	out, _ := pollOnce(t, f, job.ID)
	if out.Status != archive.PollSuccess || !strings.HasPrefix(out.ArchiveURL, api.URL) {
		t.Errorf("at the end: %+v", out)
	}
	if _, query, _ := strings.Cut(out.ArchiveURL, "?"); query == "" || strings.Contains(f.Logs(), query) {
		t.Errorf("the signed URL is in the log:\n%s", f.Logs())
	}
}

func TestTheFunctionsErrors(t *testing.T) {
	t.Parallel()
	fault := scenariotest.Fault{Operation: scenariotest.OpJob, Status: 503}
	for name, c := range map[string]struct {
		options scenariotest.Options
		secret  string
		want    string
	}{
		"wrong secret": {scenariotest.Options{}, "hunter2", "Unauthorized"},
		"unavailable":  {scenariotest.Options{Faults: []scenariotest.Fault{fault}}, scenariotest.DefaultSecret, "ScenarioUnavailable"},
		"no secret":    {scenariotest.Options{}, "", "Misconfigured"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, f := start(t, c.options, c.secret)
			if _, a := pollOnce(t, f, api.AddArchive("asset_1")); a.ErrorType() != c.want {
				t.Errorf("got %s, want %s", a.Body, c.want)
			}
			if strings.Contains(f.Logs(), "hunter2") {
				t.Errorf("the secret is in the log:\n%s", f.Logs())
			}
		})
	}
}

package main

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/sync"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func TestChangesFunction(t *testing.T) {
	t.Parallel()
	s, machines := s3test.Start(t), sfntest.Start(t)
	api := scenariotest.NewServer(scenariotest.Options{Catalogue: 150})
	t.Cleanup(api.Close)
	f := lambdatest.Start(t, map[string]string{
		"BUCKET": s.Bucket, "AWS_ENDPOINT_URL_S3": s.Endpoint, "AWS_CA_BUNDLE": s.CAFile, "AWS_REGION": s.Region,
		"AWS_ACCESS_KEY_ID": s.AccessKeyID, "AWS_SECRET_ACCESS_KEY": s.SecretAccessKey, "AWS_ENDPOINT_URL_SFN": machines.URL(),
		"SCENARIO_BASE_URL": api.BaseURL(), "SCENARIO_API_KEY": scenariotest.DefaultKey, "SCENARIO_API_SECRET": scenariotest.DefaultSecret,
	})
	in := sync.ChangesInput{
		Request:   json.RawMessage(`{"name":"heroes"}`),
		Execution: archive.Execution{ID: "arn:aws:states:us-east-1:000000000000:execution:archive:x", Name: "x"},
	}
	if a := f.Invoke(t, in); a.ErrorType() != "RequestInvalid" {
		t.Errorf("without a definition: %s", a.Body)
	}
	s.Put(t, "syncs/heroes.json", `{"select":{"collectionId":"collection_heroes"}}`)
	var step sync.Step
	if a := f.Invoke(t, in); a.Failed || json.Unmarshal(a.Body, &step) != nil || step.Next != sync.NextBatch {
		t.Fatalf("got %s", a.Body)
	}
	var batch struct{ List struct{ Key string } }
	if err := json.Unmarshal(step.Batch.Input, &batch); err != nil {
		t.Fatal(err)
	}
	if list, _ := s.Object(t, batch.List.Key); strings.Count(string(list), "\n") != 75 {
		t.Errorf("the list is %s", list)
	}
	var again sync.Step
	if a := f.Invoke(t, in); a.Failed || json.Unmarshal(a.Body, &again) != nil || again.Batch == nil || again.Batch.Name != step.Batch.Name {
		t.Errorf("again: %s", a.Body)
	}
	in.Execution.ID = "arn:aws:states:us-east-1:000000000000:execution:archive:y" // the first one does not exist, and so does not run
	if a := f.Invoke(t, in); a.Failed || json.Unmarshal(a.Body, &again) != nil || again.Batch == nil || again.Batch.Name != step.Batch.Name {
		t.Errorf("another execution: %s", a.Body)
	}
	in.Execution.ID = "x"
	if a := f.Invoke(t, in); a.ErrorType() != "RequestInvalid" {
		t.Errorf("no ARN: %s", a.Body)
	}
	if !strings.Contains(f.Logs(), `"msg":"sync: assets to be fetched"`) {
		t.Errorf("logs:\n%s", f.Logs())
	}
}

// The alarms and the dashboard read these.
func TestReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step sync.Step
		want []string
	}{
		"a batch":     {sync.Step{Batch: &sync.Batch{Name: "n", Sync: "heroes"}}, []string{`"msg":"sync: assets to be fetched"`, `"batch":"n"`}},
		"more pages":  {sync.Step{}, []string{`"msg":"sync: goes on with the list"`}},
		"the end":     {sync.Step{Output: &sync.Output{Name: "heroes", Counts: &sync.Counts{Fetched: 3, Failed: 2}}}, []string{`"SyncsFinished":1`, `"AssetsSynced":3`, `"AssetsMissing":2`}},
		"a quiet run": {sync.Step{Output: &sync.Output{Quiet: 4, OldestSuccess: 60}}, []string{`"SyncsFinished":4`, `"OldestSync":60`}},
		"one is busy": {sync.Step{Output: &sync.Output{Name: "heroes", Status: "busy"}}, []string{`"msg":"sync: ended"`, `"status":"busy"`}},
	} {
		var text strings.Builder
		report(t.Context(), slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})), c.step)
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: the log lacks %s: %s", name, want, text.String())
			}
		}
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := fromEnvironment(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "BUCKET") {
		t.Errorf("got %v", err)
	}
}

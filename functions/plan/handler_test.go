package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func environment(s *s3test.Server, more map[string]string) map[string]string {
	env := map[string]string{
		"BUCKET": s.Bucket, "AWS_ENDPOINT_URL_S3": s.Endpoint, "AWS_CA_BUNDLE": s.CAFile, "AWS_REGION": s.Region,
		"AWS_ACCESS_KEY_ID": s.AccessKeyID, "AWS_SECRET_ACCESS_KEY": s.SecretAccessKey,
	}
	for name, value := range more {
		env[name] = value
	}
	return env
}

func TestPlanFunction(t *testing.T) {
	t.Parallel()
	s := s3test.Start(t)
	f := lambdatest.Start(t, environment(s, map[string]string{
		"KEY_PREFIX": "art/", "MAX_CONCURRENCY": "7", "TOLERATED_FAILURE_PERCENTAGE": "2.5",
	}))
	event, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	var p batch.Plan
	if a := f.Invoke(t, json.RawMessage(event)); a.Failed || json.Unmarshal(a.Body, &p) != nil {
		t.Fatalf("got %s", a.Body)
	}
	if p.Assets != 2 || p.Archives != 1 || p.ToDo != 1 || p.MaxConcurrency != 7 || p.ToleratedFailurePercentage != 2.5 ||
		p.Manifest.Key != "characters/manifest.json" || !strings.HasPrefix(p.Work, "batches/heroes-") {
		t.Errorf("got %+v", p)
	}
	items, _ := s.Object(t, p.Items.Key)
	if !strings.Contains(string(items), `"key":"characters/heroes-0001.zip"`) {
		t.Errorf("items:\n%s", items)
	}

	none := batch.PlanInput{Request: json.RawMessage(`{"query":{"assetIds":["a"]}}`)}
	if a := f.Invoke(t, none); a.Failed || !strings.Contains(string(a.Body), `"art/assets-`) {
		t.Errorf("without a destination: got %s", a.Body)
	}
	none.Request = json.RawMessage(`{"list":{"key":"none.csv"}}`)
	if a := f.Invoke(t, none); a.ErrorType() != "RequestInvalid" {
		t.Errorf("without a list: got %s", a.Body)
	}
	none.Request = json.RawMessage(`{}`)
	if a := f.Invoke(t, none); a.ErrorType() != "RequestInvalid" {
		t.Errorf("without a request: got %s", a.Body)
	}
	if !strings.Contains(f.Logs(), `"msg":"batch planned"`) || !strings.Contains(f.Logs(), `"execution":"heroes"`) {
		t.Errorf("logs:\n%s", f.Logs())
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"BUCKET", ""}, {"MAX_CONCURRENCY", "0"}, {"MAX_CONCURRENCY", "10001"}, {"MAX_CONCURRENCY", "many"},
		{"TOLERATED_FAILURE_PERCENTAGE", "-1"}, {"TOLERATED_FAILURE_PERCENTAGE", "101"}, {"TOLERATED_FAILURE_PERCENTAGE", "NaN"},
	} {
		env := map[string]string{"BUCKET": "b", "AWS_REGION": "us-east-1", c[0]: c[1]}
		_, err := fromEnvironment(func(name string) string { return env[name] })
		if err == nil || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%s=%q: got %v", c[0], c[1], err)
		}
	}
}

func TestPlanLogsWhatItDecided(t *testing.T) {
	t.Parallel()
	s := s3test.Start(t)
	var logs bytes.Buffer
	h := handler{batch.Planner{Storage: batch.Storage{Bucket: bucket.Bucket{S3: s.Client, Name: s.Bucket}}}}
	log := slog.New(slog.NewJSONHandler(&logs, nil))
	in := batch.PlanInput{Request: json.RawMessage(`{"query":{"assetIds":["a","a","b"]}}`), RedriveCount: 3}
	p, err := h.plan(t.Context(), log, in)
	if err != nil || p.Assets != 2 || p.MaxConcurrency != batch.DefaultMaxConcurrency ||
		p.ToleratedFailurePercentage != batch.DefaultToleratedFailurePercentage || p.RedriveCount != 3 {
		t.Errorf("got %+v, %v", p, err)
	}
	if !strings.Contains(logs.String(), `"assets":2,"duplicates":1,"archives":1,"finished":0`) {
		t.Errorf("logs:\n%s", logs.String())
	}
	if _, err := h.plan(t.Context(), log, batch.PlanInput{Request: json.RawMessage(`[]`)}); err == nil {
		t.Error("a request that is none was planned")
	}
	h.planner.Name = "no-such-bucket"
	if _, err := h.plan(t.Context(), log, in); err == nil {
		t.Error("planned in a bucket that is not there")
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{"BUCKET": "b", "MAX_CONCURRENCY": "10000", "TOLERATED_FAILURE_PERCENTAGE": "0"}
	if logic, err := fromEnvironment(func(name string) string { return env[name] }); err != nil || logic == nil {
		t.Errorf("got %v", err)
	}
}

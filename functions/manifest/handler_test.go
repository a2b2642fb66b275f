package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func TestManifestFunction(t *testing.T) {
	t.Parallel()
	s := s3test.Start(t)
	planner := batch.Planner{Storage: batch.Storage{Bucket: bucket.Bucket{S3: s.Client, Name: s.Bucket}}}
	p, err := planner.Plan(t.Context(), batch.Input{AssetIDs: []string{"a", "b"}}, archive.Execution{Name: "heroes"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := lambdatest.Start(t, map[string]string{
		"BUCKET": s.Bucket, "AWS_ENDPOINT_URL_S3": s.Endpoint, "AWS_CA_BUNDLE": s.CAFile, "AWS_REGION": s.Region,
		"AWS_ACCESS_KEY_ID": s.AccessKeyID, "AWS_SECRET_ACCESS_KEY": s.SecretAccessKey,
	})
	in := batch.ManifestInput{State: batch.State{Plan: p, Failure: &batch.MapFailure{Error: "States.Runtime", Cause: "why"}}}
	if a := f.Invoke(t, in); a.ErrorType() != "BatchFailed" || !strings.Contains(string(a.Body), "1 of 1 archives are missing") {
		t.Errorf("got %s", a.Body)
	}
	if text, _ := s.Object(t, p.Manifest.Key); !strings.Contains(string(text), `"error":"NotStarted"`) {
		t.Errorf("manifest:\n%s", text)
	}

	in.RedriveCount = 1
	if a := f.Invoke(t, in); a.Failed || string(a.Body) != `{"again":true,"output":null}` {
		t.Errorf("redriven: got %s", a.Body)
	}

	in.State.Plan.RedriveCount, in.State.Plan.Work = 1, "batches/none/"
	if a := f.Invoke(t, in); a.ErrorType() != "DestinationRefused" {
		t.Errorf("without its record: got %s", a.Body)
	}
}

func TestManifestLogsTheTotals(t *testing.T) {
	t.Parallel()
	s := s3test.Start(t)
	storage := batch.Storage{Bucket: bucket.Bucket{S3: s.Client, Name: s.Bucket}}
	p, err := batch.Planner{Storage: storage}.Plan(t.Context(), batch.Input{AssetIDs: []string{"a"}}, archive.Execution{Name: "heroes"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	succeed(t, s, p)
	var logs bytes.Buffer
	h := handler{batch.Manifester{Storage: storage}}
	out, err := h.write(t.Context(), slog.New(slog.NewJSONHandler(&logs, nil)), batch.ManifestInput{State: batch.State{Plan: p}})
	want := `{"again":false,"output":{"bucket":"` + s.Bucket + `","manifest":"` + p.Manifest.Key + `","complete":true,"totals":` +
		`{"archives":1,"failed":0,"assets":1,"duplicates":0,"missing":0,"size":12,"entries":3}}}`
	if got, _ := json.Marshal(out); err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if !strings.Contains(logs.String(), `"msg":"batch ended"`) || !strings.Contains(logs.String(), `"size":12`) {
		t.Errorf("logs:\n%s", logs.String())
	}
	logs.Reset()
	again, err := h.write(t.Context(), slog.New(slog.NewJSONHandler(&logs, nil)), batch.ManifestInput{RedriveCount: 1})
	if err != nil || !again.Again || logs.Len() > 0 {
		t.Errorf("redriven: got %+v, %v, %s", again, err, logs.String())
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	if logic, err := fromEnvironment(func(string) string { return "b" }); err != nil || logic == nil {
		t.Errorf("got %v", err)
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := fromEnvironment(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "BUCKET") {
		t.Errorf("got %v", err)
	}
}

func TestEventIsOne(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	var in batch.ManifestInput
	if err := json.Unmarshal(text, &in); err != nil || in.State.Plan.Work == "" || in.Execution.Name == "" {
		t.Errorf("got %+v, %v", in, err)
	}
}

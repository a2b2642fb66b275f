package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/sync"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

// A chunk of two assets, of which the archive held one.
func TestSyncedFunction(t *testing.T) {
	t.Parallel()
	s := s3test.Start(t)
	f := lambdatest.Start(t, map[string]string{
		"BUCKET": s.Bucket, "AWS_ENDPOINT_URL_S3": s.Endpoint, "AWS_CA_BUNDLE": s.CAFile, "AWS_REGION": s.Region,
		"AWS_ACCESS_KEY_ID": s.AccessKeyID, "AWS_SECRET_ACCESS_KEY": s.SecretAccessKey,
	})
	const work, incoming = "batches/sync-heroes-r/", "heroes/incoming/heroes/"
	s.Put(t, work+"0001-plan.jsonl", `{"id":"asset_a","known":{"File":"f","Rest":"r","UpdatedAt":"2026-01-01T00:00:00Z"},"asset":{"id":"asset_a","tags":["t"]}}
{"id":"asset_b","known":{"File":"f","Rest":"r","UpdatedAt":"2026-01-01T00:00:00Z"},"asset":{"id":"asset_b"}}`)
	s.Put(t, work+"0001-1.txt", "asset_a\nasset_b\n")
	s.Put(t, incoming+"r-0001-1/x/asset_a.png", "picture")
	s.Put(t, incoming+"r-0001-1/x/contents.jsonl", fmt.Sprintf(`{"name":"asset_a.png","key":%q,"size":7,"contentType":"image/png","crc32":"01234567"}`, incoming+"r-0001-1/x/asset_a.png"))
	s.Put(t, incoming+"r-0001-1/manifest.json", fmt.Sprintf(`{"archives":[{"key":"k","unpacked":{"contents":%q}}],"failed":[]}`, incoming+"r-0001-1/x/contents.jsonl"))
	status := sync.Status{Name: "heroes", Status: sync.Running, Execution: "arn", Run: &sync.Run{ID: "r", Chunks: 1, Chunk: &sync.Chunk{
		Run: "r", Number: 1, Pass: 1, Assets: 2, Work: work, AssetPrefix: "heroes/assets/", RecordPrefix: "heroes/metadata/", Incoming: incoming, Metadata: true,
	}}}
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	s.Put(t, sync.StatusKey("heroes"), string(text))
	in := sync.SyncedInput{
		Execution: archive.Execution{ID: "arn"}, Request: json.RawMessage(`{"name":"heroes"}`),
		State: sync.State{Step: sync.Step{Batch: &sync.Batch{Name: "n", Sync: "heroes", Run: "r", Number: 1, Pass: 1}}},
	}
	var step sync.Step
	a := f.Invoke(t, in)
	if a.Failed || json.Unmarshal(a.Body, &step) != nil || step.Next != sync.NextBatch || step.Batch.Pass != 2 {
		t.Fatalf("got %s", a.Body)
	}
	if list, _ := s.Object(t, work+"0001-2.txt"); string(list) != "asset_b\n" {
		t.Errorf("the second list is %q", list)
	}
	if file, _ := s.Object(t, "heroes/assets/asset_a.png"); string(file) != "picture" {
		t.Errorf("the file is %q", file)
	}
	if record, _ := s.Object(t, "heroes/metadata/asset_a.json"); !strings.Contains(string(record), `"key":"heroes/assets/asset_a.png"`) || !strings.Contains(string(record), `"tags":["t"]`) {
		t.Errorf("the record is %s", record)
	}
	if _, there := s.Object(t, incoming+"r-0001-1/x/asset_a.png"); there {
		t.Error("what is recorded was left")
	}
	in.Execution.ID = "other"
	if a := f.Invoke(t, in); a.ErrorType() != "SyncBusy" {
		t.Errorf("another execution: %s", a.Body)
	}
	in.State.Step.Batch = nil
	if a := f.Invoke(t, in); a.ErrorType() != "RequestInvalid" {
		t.Errorf("no batch: %s", a.Body)
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := fromEnvironment(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "BUCKET") {
		t.Errorf("got %v", err)
	}
}

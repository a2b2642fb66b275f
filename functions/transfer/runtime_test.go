package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

// system is the function as it is deployed, with a real S3 server and an archive to fetch.
type system struct {
	api      *scenariotest.Server
	store    *s3test.Server
	function *lambdatest.Function
	job      string
}

func newSystem(t *testing.T, assets int, o scenariotest.Options) system {
	t.Helper()
	s := system{api: scenariotest.NewServer(o), store: s3test.Start(t)}
	t.Cleanup(s.api.Close)
	var ids []string
	for i := range assets {
		ids = append(ids, fmt.Sprintf("asset_%d", i))
	}
	s.job = s.api.AddArchive(ids...)
	s.function = lambdatest.Start(t, s.environment())
	return s
}

func (s system) environment() map[string]string {
	return map[string]string{"BUCKET": s.store.Bucket, "AWS_ENDPOINT_URL_S3": s.store.Endpoint, "AWS_REGION": s.store.Region,
		"AWS_ACCESS_KEY_ID": s.store.AccessKeyID, "AWS_SECRET_ACCESS_KEY": s.store.SecretAccessKey,
		"AWS_CA_BUNDLE": s.store.CAFile, "SOURCE_ALLOW_LOOPBACK_HTTP": "true", "LOG_LEVEL": "debug",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull}
}

func (s system) event(t *testing.T) archive.TransferInput {
	t.Helper()
	url, err := s.api.ArchiveURL(s.job)
	if err != nil {
		t.Fatal(err)
	}
	return archive.TransferInput{Job: archive.Job{ID: s.job}, ArchiveURL: url,
		Destination: archive.Destination{Bucket: s.store.Bucket, Key: "a/b.zip", Exclusive: true},
		Execution:   archive.Execution{ID: "arn:1", Name: "run-1"}}
}

func (s system) wantWhole(t *testing.T, a lambdatest.Answer) {
	t.Helper()
	var out archive.TransferOutput
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Failed || !out.Finished {
		t.Fatalf("got %s\n%s", a.Body, s.function.Logs())
	}
	file, err := s.api.ArchiveFile(s.job)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := io.ReadAll(io.NewSectionReader(file, 0, file.Size()))
	got, exists := s.store.Object(t, "a/b.zip")
	if !exists || !bytes.Equal(got, want) {
		t.Errorf("the object has %d bytes (exists: %v); the source has %d", len(got), exists, len(want))
	}
	if out.Output.Size != file.Size() || out.Output.Entries != int64(file.Files) || out.Output.ChecksumCRC64NVME == "" || out.Output.ETag == "" {
		t.Errorf("output %+v", *out.Output)
	}
	if uploads := s.store.Uploads(t); len(uploads) != 0 {
		t.Errorf("uploads left: %v", uploads)
	}
}

// metric is the values of a metric that the function has logged.
func (s system) metric(name string) (values []float64) {
	for line := range strings.Lines(s.function.Logs()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == "metrics" {
			if v, ok := fields[name].(float64); ok {
				values = append(values, v)
			}
		}
	}
	return values
}

func TestTheFunctionMovesAnArchive(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]scenariotest.Options{
		"small":         {},
		"in many parts": {AssetSize: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, 24, o)
			event := s.event(t)
			s.wantWhole(t, s.function.Invoke(t, event))
			s.wantWhole(t, s.function.Invoke(t, event)) // a repeated step changes nothing
			file, _ := s.api.ArchiveFile(s.job)
			if got, want := s.metric("BytesTransferred"), []float64{float64(file.Size()), 0}; !slices.Equal(got, want) {
				t.Errorf("bytes counted: %v, want %v", got, want)
			}
			if got := s.metric("ArchivesCompleted"); !slices.Equal(got, []float64{1, 1}) {
				t.Errorf("archives counted: %v", got)
			}
			if _, query, _ := strings.Cut(event.ArchiveURL, "?"); strings.Contains(s.function.Logs(), query) {
				t.Error("the signed URL is in the log")
			}
		})
	}
}

// An invocation whose time is nearly over stops with what it has; the next one goes on.
func TestTheFunctionStopsBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	s := newSystem(t, 24, scenariotest.Options{AssetSize: 1 << 20,
		Faults: []scenariotest.Fault{{Operation: scenariotest.OpArchive, StallAt: 12 << 20, Times: 1}}})
	hurried := lambdatest.StartWithin(t, 8*time.Second, s.environment())
	a := hurried.Invoke(t, s.event(t))
	var out archive.TransferOutput
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Failed || out.Finished || out.Output != nil {
		t.Fatalf("got %s", a.Body)
	}
	if _, exists := s.store.Object(t, "a/b.zip"); exists {
		t.Error("there is an object before the transfer is finished")
	}
	s.wantWhole(t, s.function.Invoke(t, s.event(t)))
}

// A function that is killed in the middle leaves an upload; another one goes on with it.
func TestAKilledFunctionIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	s := newSystem(t, 24, scenariotest.Options{AssetSize: 1 << 20,
		Faults: []scenariotest.Fault{{Operation: scenariotest.OpArchive, Bandwidth: 2 << 20}}})
	lost := make(chan struct{})
	event := s.event(t)
	go func() { defer close(lost); s.function.Invoke(t, event) }()
	for len(s.store.Uploads(t)) == 0 {
		select {
		case <-lost:
			t.Fatalf("the transfer ended before it was seen to begin:\n%s", s.function.Logs())
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.function.Kill()
	<-lost
	s.wantWhole(t, s.function.Invoke(t, event))
}

// A function that is killed right after it has started an upload leaves one that names nobody. At a key that is the
// execution's own it is found all the same; at another it could be somebody else's, who has only just started.
func TestAnUploadWithoutAName(t *testing.T) {
	t.Parallel()
	for exclusive, left := range map[bool]int{true: 0, false: 1} {
		s := newSystem(t, 24, scenariotest.Options{AssetSize: 1 << 20})
		key := "a/b.zip"
		if _, err := s.store.Client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &s.store.Bucket, Key: &key}); err != nil {
			t.Fatal(err)
		}
		event := s.event(t)
		event.Destination.Exclusive = exclusive
		if a := s.function.Invoke(t, event); a.Failed {
			t.Fatalf("got %s", a.Body)
		}
		if got := len(s.store.Uploads(t)[key]); got != left {
			t.Errorf("exclusive %v: %d uploads left, want %d", exclusive, got, left)
		}
	}
}

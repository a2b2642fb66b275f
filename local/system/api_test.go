package system

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/local/notify"
)

// newAPIOptions are for a system with all its ways in.
func newAPIOptions(t *testing.T) Options {
	t.Helper()
	o := newOptions(t)
	o.StepFunctions = Address{Name: "Step Functions", Addr: "127.0.0.1:0"}
	o.API = Address{Name: "the API", Addr: "127.0.0.1:0"}
	return o
}

func TestSameEventFiftyTimesMakesOneExecution(t *testing.T) {
	t.Parallel()
	s := startSystem(t, newAPIOptions(t))
	client, closeIdle, err := s.S3.Connect(storageTime)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIdle()
	bucket, key := Bucket, "elsewhere/x.json" // the bucket's own events are of other objects
	ctx := t.Context()
	put, err := client.PutObject(ctx, &awss3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("{}")})
	if err != nil {
		t.Fatal(err)
	}
	event := notify.Event(Bucket, key, *put.ETag, 2, time.Unix(1, 0))
	if err := s.deliver(ctx, event); err != nil {
		t.Fatalf("what is no request: %v", err)
	}
	key = "requests/x.json"
	put, err = client.PutObject(ctx, &awss3.PutObjectInput{Bucket: &bucket, Key: &key,
		Body: strings.NewReader(`{"query":{"assetIds":["asset_a"]}}`)})
	if err != nil {
		t.Fatal(err)
	}
	head, err := client.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: &bucket, Prefix: &key})
	if err != nil {
		t.Fatal(err)
	}
	at := *head.Contents[0].LastModified // so that it is the event that the watching makes, too
	event = notify.Event(Bucket, key, *put.ETag, 34, at)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if err := s.deliver(ctx, event); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	list, _, err := s.StepFunctions.List(machineARN(ArchiveMachine), "", 0, "")
	if err != nil || len(list) != 1 {
		t.Errorf("%v, %d executions: %v", err, len(list), list)
	}
	awaitNote(t, notes{client}, key, at)
	note, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: aws.String("requests/x.status.json")})
	if err != nil {
		t.Fatal(err)
	}
	defer note.Body.Close()
	if text, err := io.ReadAll(note.Body); err != nil || !strings.Contains(string(text), `"status": "succeeded"`) || !strings.Contains(string(text), `"entries"`) {
		t.Errorf("%v: %s", err, text)
	}
	if n := (notes{client}); n.has(ctx, key, at.Add(time.Second)) || n.has(ctx, "requests/y.json", at) {
		t.Error("the note is not taken for what it is")
	}
}

// awaitNote returns when the execution's end is in the note, which says before that it runs.
func awaitNote(t *testing.T, n notes, key string, at time.Time) {
	t.Helper()
	for !n.has(t.Context(), key, at) {
		if t.Context().Err() != nil {
			t.Fatal("the note never had the end")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestDeliveryThatFails(t *testing.T) {
	t.Parallel()
	s := startSystem(t, newAPIOptions(t))
	if err := s.deliver(t.Context(), []byte(`{"no":"event"}`)); err == nil || !strings.Contains(err.Error(), "neither EventBridge") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.deliver(ctx, []byte(`{}`)); err == nil {
		t.Error("no error")
	}
}

func TestFrontFunctionsKnowTheSystem(t *testing.T) {
	t.Parallel()
	s := startSystem(t, newAPIOptions(t))
	f := s.entryFunction("api")
	for name, want := range map[string]string{
		"STATE_MACHINE_ARN": machineARN(ArchiveMachine), "BUCKET": Bucket, "AWS_ENDPOINT_URL_SFN": s.StepFunctionsURL,
		"AWS_ENDPOINT_URL_S3": s.S3.Endpoint, "AWS_CA_BUNDLE": s.S3.CAFile, "SCENARIO_BASE_URL": s.Scenario.BaseURL,
		"DOWNLOAD_ENDPOINT_URL": s.APIURL,
	} {
		if f.Env[name] != want || want == "" {
			t.Errorf("%s is %q, want %q", name, f.Env[name], want)
		}
	}
	if inbox := s.entryFunction("inbox"); inbox.Env["BUCKET"] != Bucket {
		t.Errorf("the inbox: %v", inbox.Env)
	}
}

func TestAPIPortThatIsTaken(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	defer server.Close()
	o := newAPIOptions(t)
	o.API = Address{Name: "the API", Addr: server.Listener.Addr().String(), Change: "the flag -api-addr"}
	_, err := Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "the API: port ") || !strings.Contains(err.Error(), "with the flag -api-addr") {
		t.Errorf("got %v", err)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var p progress
	for i := range keptTransfers + 1 {
		p.set(fmt.Sprint("e", i), Moved{1, 2})
	}
	p.set("e5", Moved{2, 2})
	for name, want := range map[string]Moved{"e0": {}, "e1": {1, 2}, "e5": {2, 2}, "nobody": {}} {
		w := httptest.NewRecorder()
		p.serve(w, name)
		var got Moved
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if len(p.moved) != keptTransfers || len(p.names) != keptTransfers {
		t.Errorf("%d kept", len(p.moved))
	}
}

func TestReadEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := ReadEnvironment(dir); err == nil {
		t.Error("no error without a file")
	}
	const hard = `it's "a" $b`
	text := "export PLAIN=http://127.0.0.1:1/a\nexport HARD=" + quote(hard) + "\nexport EMPTY=" + quote("") + "\n\n"
	if err := os.WriteFile(dir+"/env", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := ReadEnvironment(dir)
	if err != nil || len(env) != 3 || env["PLAIN"] != "http://127.0.0.1:1/a" || env["HARD"] != hard || env["EMPTY"] != "" {
		t.Errorf("got %v %v", env, err)
	}
}

package archive

import (
	"encoding/json"
	"testing"
	"time"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, defaultPrefix string
		request             DestinationRequest
		want                string
	}{
		{"nothing said", "", DestinationRequest{}, "archives/run-1.zip"},
		{"the deployment's prefix", "team/art/", DestinationRequest{}, "team/art/run-1.zip"},
		{"prefix", "team/", DestinationRequest{Prefix: "characters/"}, "characters/run-1.zip"},
		{"prefix without a slash", "", DestinationRequest{Prefix: "characters"}, "characters/run-1.zip"},
		{"key", "team/", DestinationRequest{Key: "characters/heroes.zip"}, "characters/heroes.zip"},
	} {
		got, err := Request{Destination: c.request}.Resolve("bucket", c.defaultPrefix, "run-1")
		if err != nil || got.Key != c.want || got.Bucket != "bucket" || got.Exclusive != (c.request.Key == "") {
			t.Errorf("%s: got %+v, %v; want key %q", c.name, got, err, c.want)
		}
	}
}

func TestResolveRefusesAnExecutionNameThatEscapes(t *testing.T) {
	t.Parallel()
	if d, err := (Request{}).Resolve("bucket", "", "../../x"); err == nil {
		t.Errorf("got %+v", d)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	if got := (Request{}).Timeout(); got != time.Hour {
		t.Errorf("default: got %s, want 1h", got)
	}
	if got := (Request{TimeoutSeconds: 90}).Timeout(); got != 90*time.Second {
		t.Errorf("got %s, want 90s", got)
	}
}

// The state machine names these fields in its ResultSelectors and Choices: one that is left out, or renamed, fails
// executions.
func TestStepsKeepTheirJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"launch", LaunchOutput{}, `{"job":{"jobId":"","endpoint":"","projectId":""},"launchedAt":"0001-01-01T00:00:00Z",` +
			`"deadline":"0001-01-01T00:00:00Z","waitSeconds":0,"destination":{"bucket":"","key":"","overwrite":false,"exclusive":false}}`},
		{"poll", PollOutput{}, `{"status":"","scenarioStatus":"","progress":0,"waitSeconds":0,"archiveUrl":"","cause":""}`},
		{"transfer, unfinished", TransferOutput{}, `{"finished":false,"bytesDone":0,"bytesTotal":0,"output":null}`},
		{"output", Output{}, `{"bucket":"","key":"","size":0,"etag":"","checksumCRC64NVME":"","jobId":"","entries":0}`},
	} {
		got, err := json.Marshal(c.v)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s (%v), want %s", c.name, got, err, c.want)
		}
	}
}

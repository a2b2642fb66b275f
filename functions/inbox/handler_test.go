package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const good = `{"query":{"assetIds":["asset_1"]},"destination":{"key":"heroes.zip"}}`

func TestRequestIsStarted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/team/heroes and villains (ü).json", good)
	if err := f.handle(t.Context(), eventBridge(o)); err != nil {
		t.Fatal(err)
	}
	name, input := f.only(t)
	if !regexp.MustCompile(`^heroes-and-villains-[a-z0-9]{26}$`).MatchString(name) {
		t.Errorf("name %s", name)
	}
	if want := `{"query":{"assetIds":["asset_1"]},"options":{},"destination":{"key":"heroes.zip"}}`; input != want {
		t.Errorf("input %s", input)
	}
	note := f.note(t, "requests/team/heroes and villains (ü).status.json")
	started, _ := note["execution"].(map[string]any)["startedAt"].(string)
	if _, err := time.Parse(time.RFC3339, started); err != nil {
		t.Errorf("started at %q", started)
	}
	want := fmt.Sprintf(`{"droppedAt":"2026-01-02T15:04:05Z","execution":{"arn":"arn:aws:states:us-east-1:000000000000:execution:archive:%s",`+
		`"id":"%s","startedAt":"%s"},"request":"requests/team/heroes and villains (ü).json","status":"running"}`, name, name, started)
	if got := string(marshal(note)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestListsAreStarted(t *testing.T) {
	t.Parallel()
	for key, content := range map[string]string{
		"requests/m.csv":   "asset_1,hero\rasset_2,villain\rasset_1,x\r",
		"requests/a.txt":   "\xef\xbb\xbfAsset ID\r\nasset_1\r\n\r\n  asset_2\t\r\nasset_1",
		"requests/b.CSV":   "name;asset_id\n\"Hero; the first\";asset_1\n;\nVillain;\"asset_2\"\n",
		"requests/c.jsonl": "\"asset_1\"\n\n{\"name\":\"x\",\"assetId\":\"asset_2\"}\n{\"id\":\"asset_1\"}",
	} {
		f := newFixture(t)
		if err := f.handle(t.Context(), eventBridge(f.drop(key, content))); err != nil {
			t.Fatal(err)
		}
		if _, input := f.only(t); input != `{"query":{"assetIds":["asset_1","asset_2"]},"options":{},"destination":{}}` {
			t.Errorf("%s: %s", key, input)
		}
		note := f.note(t, stem(key)+statusSuffix)
		list, _ := note["list"].(map[string]any)
		if list["assetIds"] != 2.0 || key == "requests/m.csv" && (list["lines"] != 3.0 || list["duplicates"] != 1.0) {
			t.Errorf("%s: note %v", key, note)
		}
	}
}

// An event, however often and however parallel it comes, is one execution.
func TestFiftyDeliveriesStartOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/heroes+1 %41.json", good)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := f.handle(t.Context(), eventBridge(o)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	name, _ := f.only(t)
	if note := f.note(t, "requests/heroes+1 %41.status.json"); note["execution"].(map[string]any)["id"] != name {
		t.Errorf("note %v", note)
	}
	f.sfn.Finish(t, name, "SUCCEEDED", `{}`)
	if err := f.handle(t.Context(), eventBridge(o)); err != nil || f.sfn.Started() != 1 {
		t.Errorf("after its end: %v, %d executions", err, f.sfn.Started())
	}
	if note := f.note(t, "requests/heroes+1 %41.status.json"); note["status"] != "succeeded" {
		t.Errorf("note %v", note)
	}
}

func TestEveryDropIsAnExecution(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	base := f.drop("requests/a.json", good)
	f.drop("requests/b.json", good)
	versioned := base
	versioned.version = "v2"
	again := base
	again.sequencer = "00617F08299329D18A"
	other := base
	other.key = "requests/b.json"
	unordered, later := base, base
	unordered.sequencer, later.sequencer, later.time = "", "", "2026-01-02T15:04:06Z"
	for _, o := range []object{base, versioned, again, other, unordered, later} {
		if err := f.handle(t.Context(), eventBridge(o)); err != nil {
			t.Fatal(err)
		}
	}
	if f.sfn.Started() != 6 {
		t.Errorf("%d executions: %v", f.sfn.Started(), f.sfn.Inputs())
	}
}

func TestTheNameBelongsToTheEventAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.json", good)
	if _, err := f.starter.Archives.Start(t.Context(), executionName(o), `{"query":{"assetIds":["asset_1"]},"release":"earlier"}`); err != nil {
		t.Fatal(err)
	}
	if err := f.handle(t.Context(), eventBridge(o)); err != nil || f.note(t, "requests/a.error.json") != nil {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotARequestIsLeftAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, key := range []string{"requests/a.error.json", "requests/a.status.json", "requests/a.csv.Error.JSON", "requests/.DS_Store",
		"requests/", "requests/a.json/", "requests/team/.a.json.swp", "archives/a.json", "Requests/a.json", "a.json", "/requests/a.json", ""} {
		if err := f.handle(t.Context(), eventBridge(f.drop(key, good))); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	other := f.drop("requests/a.json", good)
	other.bucket = "other"
	events := []json.RawMessage{eventBridge(other),
		json.RawMessage(`{"source":"aws.s3","detail-type":"Object Deleted","detail":{"bucket":{"name":"bucket"},"object":{"key":"requests/a.json"}}}`),
	}
	for _, event := range events {
		if err := f.handle(t.Context(), event); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
	if f.sfn.Calls("StartExecution") != 0 || len(f.requests) != 0 {
		t.Errorf("%d starts, S3 was asked %v", f.sfn.Calls("StartExecution"), f.requests)
	}
}

func TestNotesAreNoRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, o := range []object{f.drop("requests/good.json", good), f.drop("requests/bad.json", "{}")} {
		if err := f.handle(t.Context(), eventBridge(o)); err != nil {
			t.Fatal(err)
		}
	}
	for key := range f.objects {
		if strings.Count(key, ".") == 2 && isRequest(key) {
			t.Errorf("%s would be taken for a request", key)
		}
	}
	if len(f.objects) != 5 { // and one that says whom the execution is for
		t.Errorf("%d objects", len(f.objects))
	}
}

func TestRequestGoneOrReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	gone := f.drop("requests/a.json", good)
	gone.key = "requests/gone.json"
	replaced := f.drop("requests/a.json", good)
	f.drop("requests/a.json", good+" ")
	marker := f.drop("requests/marker.json", good)
	f.breaks(func(w http.ResponseWriter, _ *http.Request, key string) bool {
		if key == marker.key {
			refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
		}
		return key == marker.key
	})
	for _, o := range []object{gone, replaced, marker} {
		if err := f.handle(t.Context(), eventBridge(o)); err != nil {
			t.Errorf("%s: %v", o.key, err)
		}
	}
	if f.sfn.Started() != 0 || len(f.objects) != 2 {
		t.Errorf("%d executions, %d objects", f.sfn.Started(), len(f.objects))
	}
	if n := strings.Count(f.logs.b.String(), "is gone or was replaced"); n != 3 {
		t.Errorf("logged %d times: %s", n, f.logs.b.String())
	}
}

func TestVersionIsReadAsItWas(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.json", good)
	o.version = "v1"
	var query string
	f.breaks(func(_ http.ResponseWriter, r *http.Request, key string) bool {
		if key == o.key {
			query = r.URL.Query().Get("versionId") + r.Header.Get("If-Match")
		}
		return false
	})
	if err := f.handle(t.Context(), eventBridge(o)); err != nil || query != "v1" {
		t.Errorf("got %v, read %q", err, query)
	}
	if f.note(t, "requests/a.status.json")["versionId"] != "v1" {
		t.Error("the note does not name the version")
	}
}

func TestCorrectedRequestTakesItsErrorAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/a.json", "{}"))); err != nil {
		t.Fatal(err)
	}
	if note := f.note(t, "requests/a.error.json"); note["error"] != "RequestInvalid" || note["request"] != "requests/a.json" ||
		!strings.Contains(note["cause"].(string), "at least one ID") {
		t.Errorf("note %v", note)
	}
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/a.json", good))); err != nil {
		t.Fatal(err)
	}
	if f.note(t, "requests/a.error.json") != nil || f.note(t, "requests/a.status.json") == nil {
		t.Errorf("objects %v", f.objects)
	}
}

func TestRequestsOfOneNameDoNotShareNotes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 2 {
		for key, content := range map[string]string{"requests/a.json": good, "requests/a.csv": "no ID"} {
			if err := f.handle(t.Context(), eventBridge(f.drop(key, content))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if note := f.note(t, "requests/a.error.json"); note["request"] != "requests/a.csv" {
		t.Errorf("note %v", note)
	}
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/a.json", "{}"))); err != nil {
		t.Fatal(err)
	}
	if note := f.note(t, "requests/a.json.error.json"); note["request"] != "requests/a.json" {
		t.Errorf("note %v", note)
	}
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/a.json", good))); err != nil {
		t.Fatal(err)
	}
	if f.note(t, "requests/a.json.error.json") != nil || f.note(t, "requests/a.error.json") == nil {
		t.Error("not the right error was taken away")
	}
}

func TestEventsOfSomethingElse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, event := range []string{`{}`, `[]`, `null`, `{"source":"aws.ec2"}`, `{"Records":[]}`, `{"Event":"other"}`} {
		if err := f.handle(t.Context(), json.RawMessage(event)); !errors.As(err, new(Unfinished)) {
			t.Errorf("%s: got %v", event, err)
		}
	}
}

func list(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "asset_%d\n", i)
	}
	return b.String()
}

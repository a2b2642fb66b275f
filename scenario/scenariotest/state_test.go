package scenariotest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// A stand-in that is killed and started again goes on with its jobs, and with the URLs that it gave out.
func TestStateOutlivesTheStandIn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	keep := func(o *scenariotest.Options) { o.State = dir }
	first := newStandIn(t, keep)
	first.PutAssets(scenariotest.CatalogueAsset{ID: "asset_1", Version: 3})
	done, running := first.launch(twoAssets), first.launch(oneAsset)
	whole, path := first.content(done), first.url(done)[len(first.URL):]

	second := newStandIn(t, keep) // the first one was not closed: killed
	second.advance(50 * time.Second)
	if got := second.call("GET", "/v1/jobs/"+running, "").job(t)["status"]; got != "in-progress" {
		t.Errorf("the job that runs is %v", got)
	}
	second.advance(time.Hour / 2)
	if got := second.call("GET", "/v1/jobs/"+running, "").job(t)["status"]; got != "success" {
		t.Errorf("the job that ran is %v", got)
	}
	if got := second.download(path); got.StatusCode != http.StatusOK || !bytes.Equal(got.body, whole) {
		t.Errorf("the archive of before: %d, %d bytes", got.StatusCode, len(got.body))
	}
	if jobs := second.Jobs(); len(jobs) != 2 {
		t.Errorf("jobs are %+v", jobs)
	}
	if err := os.WriteFile(filepath.Join(dir, "job_broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !panics(func() { scenariotest.NewHandler(scenariotest.Options{State: dir}) }) {
		t.Error("a broken file was taken")
	}
}

// What was put into the catalogue is there after a restart, and a line that was not written whole is none.
func TestCatalogueOutlivesTheStandIn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	keep := func(o *scenariotest.Options) { o.State, o.Catalogue = dir, 2 }
	first := newStandIn(t, keep)
	put := func(list string) {
		t.Helper()
		if got := first.call("POST", "/_test/assets", list); got.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", got.StatusCode, got.body)
		}
	}
	put(`[{"id":"asset_catalogue0000000","tags":["first"]},{"id":"asset_new","leftOut":2}]`)
	put(`[{"id":"asset_catalogue0000000","tags":["second"],"version":4},{"id":"asset_catalogue0000001","deleted":true}]`)
	lacking := first.content(first.launch(`{"query":{"assetIds":["asset_new","asset_other"]}}`)) // one of two
	file, err := os.OpenFile(filepath.Join(dir, "catalogue.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"id":"asset_torn`); err != nil || file.Close() != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one reads what the first one has written
		next := newStandIn(t, keep)
		list := map[string]map[string]any{}
		for _, a := range next.call("GET", "/v1/assets", "").fields(t)["assets"].([]any) {
			asset := a.(map[string]any)
			list[asset["id"].(string)] = asset
		}
		if len(list) != 2 || fmt.Sprint(list["asset_catalogue0000000"]["tags"]) != "[second]" || list["asset_new"] == nil {
			t.Fatalf("the catalogue is %v", list)
		}
		first = next
	}
	again := first.content(first.launch(`{"query":{"assetIds":["asset_new","asset_other"]}}`))
	whole := first.content(first.launch(`{"query":{"assetIds":["asset_new","asset_other"]}}`))
	if len(again) != len(lacking) || len(whole) <= len(again) {
		t.Errorf("archives of %d, %d and %d bytes: the asset is to be left out of two", len(lacking), len(again), len(whole))
	}
	if err := os.WriteFile(filepath.Join(dir, "catalogue.jsonl"), []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !panics(func() { scenariotest.NewHandler(scenariotest.Options{State: dir}) }) {
		t.Error("a broken file was taken")
	}
}

// What is kept in memory does not grow with the jobs that ended. With a state they are found all the same.
func TestFinishedJobsAreBounded(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", t.TempDir()} {
		s := newStandIn(t, func(o *scenariotest.Options) { o.State = dir })
		stuck := s.launch(`{"query":{"assetIds":["asset_stuck"]}}`)
		first := s.AddArchive("asset_first")
		for i := range 2500 {
			s.AddArchive(fmt.Sprintf("asset_%d", i))
		}
		if n := len(s.Jobs()); n > 2001 {
			t.Errorf("%d jobs are in memory", n)
		}
		if got := s.call("GET", "/v1/jobs/"+stuck, ""); got.StatusCode != http.StatusOK {
			t.Errorf("a job that runs was forgotten: %d", got.StatusCode)
		}
		want := http.StatusNotFound
		if dir != "" {
			want = http.StatusOK
		}
		if got := s.call("GET", "/v1/jobs/"+first, ""); got.StatusCode != want {
			t.Errorf("the first job: %d, want %d", got.StatusCode, want)
		}
	}
}

// A job that cannot be kept is not launched.
func TestStateThatIsGone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := newStandIn(t, func(o *scenariotest.Options) { o.State = dir })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := s.call("POST", "/v1/assets/archive", oneAsset); got.StatusCode != http.StatusInternalServerError || len(s.Jobs()) != 0 {
		t.Errorf("got %d, jobs %+v", got.StatusCode, s.Jobs())
	}
	if !panics(func() { s.AddArchive("asset_1") }) {
		t.Error("AddArchive made a job that is not kept")
	}
}

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
	keep := func(o *scenariotest.Options) { o.State, o.AllowCancel = dir, true }
	first := newStandIn(t, keep)
	first.PutAssets(scenariotest.CatalogueAsset{ID: "asset_1", Version: 3})
	done, running, canceled := first.launch(twoAssets), first.launch(oneAsset), first.launch(oneAsset)
	if got := first.call("POST", "/v1/jobs/"+canceled+"/action", `{"action":"cancel"}`); got.StatusCode != http.StatusOK {
		t.Fatalf("cancel: %d", got.StatusCode)
	}
	whole, path := first.content(done), first.url(done)[len(first.URL):]

	second := newStandIn(t, keep) // the first one was not closed: killed
	second.advance(50 * time.Second)
	for id, want := range map[string]string{running: "in-progress", canceled: "canceled"} {
		if got := second.call("GET", "/v1/jobs/"+id, "").job(t)["status"]; got != want {
			t.Errorf("%s is %v, not %s", id, got, want)
		}
	}
	second.advance(time.Hour / 2)
	if got := second.call("GET", "/v1/jobs/"+running, "").job(t)["status"]; got != "success" {
		t.Errorf("the job that ran is %v", got)
	}
	if got := second.download(path); got.StatusCode != http.StatusOK || !bytes.Equal(got.body, whole) {
		t.Errorf("the archive of before: %d, %d bytes", got.StatusCode, len(got.body))
	}
	if jobs := second.Jobs(); len(jobs) != 3 {
		t.Errorf("jobs are %+v", jobs)
	}
	if err := os.WriteFile(filepath.Join(dir, "job_broken.json"), []byte("{"), 0o600); err != nil {
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

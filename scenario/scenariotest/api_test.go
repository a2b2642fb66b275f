package scenariotest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func TestJobGoesThroughItsStatuses(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	id := s.launch(twoAssets)
	for _, step := range []struct {
		after    time.Duration
		status   string
		progress float64
		url      bool
	}{
		{0, "queued", 0, false},
		{15 * time.Second, "warming-up", 0.15, false},
		{50 * time.Second, "in-progress", 0.5, false},
		{95 * time.Second, "finalizing", 0.95, false},
		{99999 * time.Millisecond, "finalizing", 0.99, false},
		{100 * time.Second, "success", 1, true},
		{500 * time.Second, "success", 1, true},
	} {
		s.advance(step.after - s.clock().Sub(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)))
		job := s.call("GET", "/v1/jobs/"+id, "").job(t)
		download := s.call("GET", "/v1/assets/download/"+id, "").fields(t)
		_, hasURL := job["metadata"].(map[string]any)["archiveUrl"].(string)
		_, hasDownloadURL := download["downloadUrl"].(string)
		if job["status"] != step.status || job["progress"] != step.progress || hasURL != step.url {
			t.Errorf("after %v: %v", step.after, job)
		}
		if download["jobStatus"] != step.status || hasDownloadURL != step.url || download["jobId"] != id {
			t.Errorf("after %v: %v", step.after, download)
		}
	}
	job := s.call("GET", "/v1/jobs/"+id, "").job(t)
	if history := job["statusHistory"].([]any); len(history) != 5 || job["jobType"] != "assets-download" ||
		job["createdAt"] != "2026-03-04T05:06:07.000Z" || job["updatedAt"] != "2026-03-04T05:07:47.000Z" {
		t.Errorf("%v", job)
	}
}

func TestLaunchAnswers(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	guide := s.call("POST", "/v1/assets/archive", twoAssets)
	reference := s.call("POST", "/v1/assets/download", twoAssets)
	if id, _ := guide.job(t)["jobId"].(string); guide.StatusCode != 200 || !strings.HasPrefix(id, "job_") {
		t.Errorf("guide: %d %s", guide.StatusCode, guide.body)
	}
	if id, _ := reference.fields(t)["jobId"].(string); reference.StatusCode != 200 || !strings.HasPrefix(id, "job_") {
		t.Errorf("reference: %d %s", reference.StatusCode, reference.body)
	}
	jobs := s.Jobs()
	if len(jobs) != 2 || jobs[0].Launched != scenariotest.OpLaunchArchive || jobs[1].Launched != scenariotest.OpLaunchDownload ||
		jobs[0].Assets != 2 || jobs[0].Status != "queued" {
		t.Errorf("%+v", jobs)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.AssetsPerSource = 600 })
	ids := func(n int) string { return strings.Repeat(`"asset_x",`, n-1) + `"asset_x"` }
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		message                  string
	}{
		{"no JSON", "POST", "archive", `{`, 400, "invalid request body"},
		{"two values", "POST", "archive", oneAsset + "{}", 400, "more than one JSON value"},
		{"wrong type", "POST", "archive", `{"query":{"assetIds":"asset_1"}}`, 400, "invalid request body"},
		{"unknown field", "POST", "archive", `{"query":{"assetIds":["asset_1"]},"destination":{}}`, 400, `unknown field "destination"`},
		{"no query", "POST", "archive", `{}`, 400, "query is required"},
		{"empty query", "POST", "archive", `{"query":{"assetIds":[]}}`, 400, "at least one"},
		{"empty model", "POST", "archive", `{"query":{"modelIds":[" "]}}`, 400, "empty"},
		{"no template, reference", "POST", "download", `{"query":{"assetIds":["asset_1"]}}`, 400, "fileNameTemplate is required"},
		{"1001 assets", "POST", "archive", `{"query":{"assetIds":[` + ids(1001) + `]}}`, 400, "batch limited to 1000 assets"},
		{"1200 assets of models", "POST", "archive", `{"query":{"modelIds":["a","b"]}}`, 400, "batch limited to 1000 assets, got 1200"},
		{"unknown asset", "POST", "archive", `{"query":{"assetIds":["asset_1","asset_missing_1"]}}`, 404, "asset_missing_1"},
		{"no asset's ID", "POST", "archive", `{"query":{"assetIds":["model_1"]}}`, 404, "model_1"},
		{"a path in an ID", "POST", "archive", `{"query":{"assetIds":["asset_../x"]}}`, 404, "was not found"},
		{"too much", "POST", "archive", strings.Repeat(" ", 2<<20), 413, "too large"},
	} {
		a := s.call(test.method, "/v1/assets/"+test.path, test.body)
		message, _ := a.fields(t)["message"].(string)
		if a.StatusCode != test.status || !strings.Contains(message, test.message) {
			t.Errorf("%s: %d %s", test.name, a.StatusCode, a.body)
		}
	}
	if jobs := s.Jobs(); len(jobs) != 0 {
		t.Errorf("%d jobs were made", len(jobs))
	}
	if a := s.call("POST", "/v1/assets/archive", `{"query":{"assetIds":[`+ids(1000)+`]}}`); a.StatusCode != 200 {
		t.Errorf("1000 assets: %d %s", a.StatusCode, a.body)
	}
}

func TestUnknownPathsMethodsAndJobs(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/v1/jobs/job_none", 404}, {"GET", "/v1/assets/download/job_none", 404}, {"GET", "/v2/jobs/x", 404},
		{"DELETE", "/v1/jobs/x", 404}, {"GET", "/", 404},
	} {
		if a := s.call(test.method, test.path, ""); a.StatusCode != test.status || a.fields(t)["error"] == nil {
			t.Errorf("%s %s: %d %s", test.method, test.path, a.StatusCode, a.body)
		}
	}
	if a := s.call("POST", "/v1/jobs/job_none/action", `{"action":"cancel"}`); a.StatusCode != 404 {
		t.Errorf("cancel: %d", a.StatusCode)
	}
}

func TestBadCredentials(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for _, pair := range [][2]string{{"local-key", "wrong"}, {"wrong", "local-secret"}, {"", ""}} {
		r := s.request("POST", "/v1/assets/archive", oneAsset)
		if pair[0] != "" {
			r.SetBasicAuth(pair[0], pair[1])
		}
		if a := s.do(r); a.StatusCode != 401 || a.fields(t)["error"] != "Unauthorized" {
			t.Errorf("%v: %d %s", pair, a.StatusCode, a.body)
		}
	}
	if len(s.Jobs()) != 0 {
		t.Error("a job was made")
	}
}

func TestJobsBelongToAProject(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	id, _ := s.call("POST", "/v1/assets/archive?projectId=proj_1", oneAsset).job(t)["jobId"].(string)
	for query, status := range map[string]int{"": 404, "?projectId=proj_2": 404, "?projectId=proj_1": 200} {
		for _, path := range []string{"/v1/jobs/", "/v1/assets/download/"} {
			if a := s.call("GET", path+id+query, ""); a.StatusCode != status {
				t.Errorf("%s%s: %d, want %d", path, query, a.StatusCode, status)
			}
		}
	}
	if job := s.Jobs()[0]; job.ProjectID != "proj_1" {
		t.Errorf("%+v", job)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	id := s.launch(oneAsset)
	for body, message := range map[string]string{
		`{"action":"cancel"}`: "Cannot cancel this type of job", `{"action":"stop"}`: "action must be one of", `[]`: "invalid",
	} {
		a := s.call("POST", "/v1/jobs/"+id+"/action", body)
		if got, _ := a.fields(t)["message"].(string); a.StatusCode != 400 || !strings.Contains(got, message) {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.body)
		}
	}
}

func TestSpecialAssets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		asset    string
		after    time.Duration
		status   string
		reason   string
		progress float64
		url      bool
	}{
		{"asset_fail_x", 49 * time.Second, "in-progress", "", 0.49, false},
		{"asset_fail_x", 50 * time.Second, "failure", "The asset asset_fail_x could not be read", 0.5, false},
		{"asset_cancel", time.Hour, "canceled", "The job was canceled by an operator", 0.5, false},
		{"asset_slow", 999 * time.Second, "finalizing", "", 0.99, false},
		{"asset_slow", 1000 * time.Second, "success", "", 1, true},
		{"asset_stuck", 1000 * time.Hour, "finalizing", "", 0.99, false},
		{"asset_nourl", time.Hour, "success", "", 1, false},
		{"asset_expired", time.Hour, "success", "", 1, true},
	} {
		s := newStandIn(t)
		id := s.launch(fmt.Sprintf(`{"query":{"assetIds":["asset_1",%q]}}`, test.asset))
		s.advance(test.after)
		job := s.call("GET", "/v1/jobs/"+id, "").job(t)
		metadata := job["metadata"].(map[string]any)
		reason, _ := metadata["error"].(string)
		url, _ := metadata["archiveUrl"].(string)
		if job["status"] != test.status || reason != test.reason || job["progress"] != test.progress || (url != "") != test.url {
			t.Errorf("%s after %v: %v", test.asset, test.after, job)
		}
		if test.asset == "asset_expired" {
			checkXML(t, test.asset, s.download(url), "AccessDenied", "Request has expired")
		}
	}
}

func TestConcurrentJobsAreLimitedUntilTheyEnd(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.MaxConcurrentJobs = 2 })
	s.launch(oneAsset)
	s.advance(60 * time.Second)
	s.launch(oneAsset)
	refused := s.call("POST", "/v1/assets/download", oneAsset)
	details, _ := refused.fields(t)["details"].(map[string]any)
	if refused.StatusCode != 429 || refused.Header.Get("Retry-After") != "1" || details["actionLimit"] != 2.0 ||
		details["actionName"] != "assets-download-concurrency" {
		t.Errorf("%d %v %s", refused.StatusCode, refused.Header, refused.body)
	}
	s.AddArchive("asset_beside") // not held back
	s.advance(40 * time.Second)
	s.launch(oneAsset) // the first has ended
	if a := s.call("POST", "/v1/assets/archive", oneAsset); a.StatusCode != 429 {
		t.Errorf("a third at once: %d", a.StatusCode)
	}
}

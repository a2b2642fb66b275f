package scenario

import (
	"strings"
	"testing"
	"time"
)

const (
	atJobs     = "GET /v1/jobs/job_1"
	atDownload = "GET /v1/assets/download/job_1"
)

func TestJobReadsEveryShape(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		want       Job
	}{
		{"guide, running", `{"job":{"jobId":"job_1","status":"in-progress","progress":0.4,"metadata":{}}}`,
			Job{Status: "in-progress", Progress: 0.4}},
		{"guide, done", `{"job":{"jobId":"job_1","status":"success","progress":1,"metadata":{"archiveUrl":"https://c/a?s=1"}}}`,
			Job{Status: StatusSuccess, Progress: 1, ArchiveURL: "https://c/a?s=1"}},
		{"downloadUrl in the job", `{"job":{"status":"success","downloadUrl":"https://c/a"}}`,
			Job{Status: StatusSuccess, ArchiveURL: "https://c/a"}},
		{"downloadUrl in the metadata", `{"job":{"status":"success","metadata":{"downloadUrl":"https://c/a"}}}`,
			Job{Status: StatusSuccess, ArchiveURL: "https://c/a"}},
		{"reference", `{"jobId":"job_1","jobStatus":"success","downloadUrl":"http://c/a"}`,
			Job{Status: StatusSuccess, ArchiveURL: "http://c/a"}},
		{"archiveUrl in the metadata at the top", `{"jobId":"job_1","status":"success","metadata":{"archiveUrl":"https://c/a"}}`,
			Job{Status: StatusSuccess, ArchiveURL: "https://c/a"}},
		{"raw URL", `{"job":{"status":"success","metadata":{"archiveUrl":"https://c/100% of it.zip?name=my heroes"}}}`,
			Job{Status: StatusSuccess, ArchiveURL: "https://c/100% of it.zip?name=my heroes"}},
		{"URL null", `{"job":{"status":"queued","metadata":{"archiveUrl":null}}}`, Job{Status: "queued"}},
		{"metadata null", `{"job":{"status":"queued","metadata":null,"progress":null}}`, Job{Status: "queued"}},
		{"unknown status", `{"job":{"status":"contemplating"}}`, Job{Status: "contemplating"}},
		{"a long status", `{"job":{"status":"` + strings.Repeat("x", 1<<20) + `"}}`, Job{Status: Status(strings.Repeat("x", 64))}},
		{"progress above 1", `{"job":{"status":"x","progress":40}}`, Job{Status: "x", Progress: 1}},
		{"progress below 0", `{"job":{"status":"x","progress":-3}}`, Job{Status: "x"}},
		{"progress out of range", `{"job":{"status":"x","progress":1e999}}`, Job{Status: "x", Progress: 1}},
		{"progress a string", `{"job":{"status":"x","progress":"half"}}`, Job{Status: "x"}},
		{"error a string", `{"job":{"status":"failure","metadata":{"error":"no space"}}}`,
			Job{Status: StatusFailure, Reason: "no space"}},
		{"error an object", `{"job":{"status":"failure","metadata":{"error":{"code":7,"message":"no space"},"hint":"buy some"}}}`,
			Job{Status: StatusFailure, Reason: "no space: buy some"}},
		{"error with secrets", `{"job":{"status":"canceled","metadata":{"error":"s3cr/t+value== at https://c/a?sig=zzz"}}}`,
			Job{Status: StatusCanceled, Reason: "[REDACTED] at https://c/a?…"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := script(t, scriptedAnswer{status: 200, body: test.body})
			ref := JobRef{ID: "job_1", Endpoint: EndpointArchive, ProjectID: "p"}
			test.want.ID, test.want.Endpoint, test.want.ProjectID = ref.ID, ref.Endpoint, ref.ProjectID
			job, err := api.client().Job(t.Context(), ref)
			if err != nil || job != test.want {
				t.Errorf("got %+v, %v\nwant %+v", job, err, test.want)
			}
			if job.Ref() != ref {
				t.Errorf("ref %+v", job.Ref())
			}
			if got := api.uris(); got != atJobs+"?projectId=p" {
				t.Errorf("calls: %s", got)
			}
		})
	}
}

func TestStatusFinal(t *testing.T) {
	t.Parallel()
	for status, final := range map[Status]bool{
		"success": true, "failure": true, "canceled": true,
		"": false, "queued": false, "pending": false, "warming-up": false, "in-progress": false, "processing": false,
		"finalizing": false, "SUCCESS": false, "anything": false,
	} {
		if status.Final() != final {
			t.Errorf("%q: %v", status, !final)
		}
	}
}

func TestJobAtTheSecondPlace(t *testing.T) {
	t.Parallel()
	noURL := scriptedAnswer{status: 200, body: `{"job":{"status":"success","progress":1}}`}
	withURL := scriptedAnswer{status: 200, body: `{"jobId":"job_1","jobStatus":"success","downloadUrl":"https://c/a"}`}
	missing := scriptedAnswer{status: 404, body: `{"message":"first place"}`}
	for _, test := range []struct {
		name          string
		endpoint      Endpoint
		first, second scriptedAnswer
		calls, url    string
		kind          Kind
	}{
		{"success without a URL", EndpointDownload, noURL, withURL, atJobs + ", " + atDownload, "https://c/a", ""},
		{"endpoint not known", EndpointAuto, noURL, withURL, atJobs + ", " + atDownload, "https://c/a", ""},
		{"guide's, without a URL", EndpointArchive, noURL, withURL, atJobs + ", " + atDownload, "https://c/a", ""},
		{"guide's, and no second place", EndpointArchive, noURL, noRoute, atJobs + ", " + atDownload, "", ""},
		{"guide's, and the second place fails", EndpointArchive, noURL, scriptedAnswer{status: 403}, atJobs + ", " + atDownload, "", ""},
		{"no route to the first", EndpointDownload, noRoute, withURL, atJobs + ", " + atDownload, "https://c/a", ""},
		{"refused at the first", EndpointDownload, scriptedAnswer{status: 403, body: `{"message":"Missing Authentication Token"}`}, withURL,
			atJobs, "", KindUnauthorized},
		{"404 at the first", EndpointDownload, missing, withURL, atJobs + ", " + atDownload, "https://c/a", ""},
		{"405 at the first", EndpointDownload, scriptedAnswer{status: 405}, withURL, atJobs + ", " + atDownload, "https://c/a", ""},
		{"404 for the guide's", EndpointArchive, missing, scriptedAnswer{status: 404}, atJobs + ", " + atDownload, "", KindNotFound},
		{"404 at both", EndpointDownload, missing, scriptedAnswer{status: 404}, atJobs + ", " + atDownload, "", KindNotFound},
		{"no second place", EndpointDownload, noURL, scriptedAnswer{status: 405}, atJobs + ", " + atDownload, "", ""},
		{"the second place fails", EndpointDownload, noURL, scriptedAnswer{status: 403}, atJobs + ", " + atDownload, "",
			KindUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := script(t, test.first, test.second)
			job, err := api.client().Job(t.Context(), JobRef{ID: "job_1", Endpoint: test.endpoint})
			if got := api.uris(); got != test.calls {
				t.Errorf("calls: %s", got)
			}
			if test.kind != "" {
				if e := failureOf(t, err); e.Kind != test.kind {
					t.Errorf("%+v", e)
				}
				return
			}
			if err != nil || job.Status != StatusSuccess || job.ArchiveURL != test.url {
				t.Errorf("%+v, %v", job, err)
			}
		})
	}
}

func TestJobRefusesAnswersThatCannotBeRight(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no status":         `{"job":{"jobId":"job_1"}}`,
		"another job":       `{"job":{"jobId":"job_2","status":"success"}}`,
		"no web address":    `{"job":{"status":"success","metadata":{"archiveUrl":"file:///etc/passwd"}}}`,
		"a long address":    `{"job":{"status":"success","metadata":{"archiveUrl":"https://c/` + strings.Repeat("a", 300<<10) + `"}}}`,
		"no JSON":           `<html>`,
		"an array":          `[]`,
		"two values":        `{"job":{"status":"success"}} {}`,
		"longer than bound": `{"job":{"status":"x"}}` + strings.Repeat(" ", maxBody),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := script(t, scriptedAnswer{status: 200, body: body})
			_, err := api.client(func(o *Options) { o.MaxAttempts = 2 }).Job(t.Context(), JobRef{ID: "job_1"})
			if e := failureOf(t, err); e.Kind != KindUnavailable || e.StatusCode != 200 {
				t.Errorf("%+v", e)
			}
			if got := len(api.requests()); got != 2 {
				t.Errorf("%d calls: a GET can be repeated", got)
			}
			if strings.Contains(err.Error(), "/etc/passwd") {
				t.Errorf("the error has the URL: %v", err)
			}
		})
	}
}

func TestJobIDsThatNoPathShouldHave(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, body: `{"job":{"status":"x"}}`})
	c := api.client()
	for _, id := range []string{"", ".", "..", "a/b", `a\b`, "a?b", "a#b", "a%2fb", "a b", "a\nb", "é", strings.Repeat("a", 257)} {
		if _, err := c.Job(t.Context(), JobRef{ID: id}); failureOf(t, err).Kind != KindInvalid {
			t.Errorf("job %q: %v", id, err)
		}
		if err := c.CancelJob(t.Context(), JobRef{ID: id}); failureOf(t, err).Kind != KindInvalid {
			t.Errorf("cancel %q: %v", id, err)
		}
	}
	if got := api.uris(); got != "" {
		t.Errorf("calls were made: %s", got)
	}
	if _, err := c.Job(t.Context(), JobRef{ID: "a:b@c&d=e"}); err != nil || api.uris() != "GET /v1/jobs/a:b@c&d=e" {
		t.Errorf("%s, %v", api.uris(), err)
	}
}

func TestJobTellsWhenToAskAgain(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, header: map[string]string{"Retry-After": "7"}, body: `{"job":{"status":"x"}}`})
	if job, err := api.client().Job(t.Context(), JobRef{ID: "j"}); err != nil || job.RetryAfter != 7*time.Second {
		t.Errorf("%+v, %v", job, err)
	}
}

func TestCancelJob(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, body: `{}`},
		scriptedAnswer{status: 400, body: `{"message":"Cannot cancel this type of job"}`})
	c := api.client()
	if err := c.CancelJob(t.Context(), JobRef{ID: "job_1", ProjectID: "p"}); err != nil {
		t.Error(err)
	}
	if r := api.requests()[0]; r.uri != "/v1/jobs/job_1/action?projectId=p" || r.body != `{"action":"cancel"}` {
		t.Errorf("%+v", r)
	}
	err := c.CancelJob(t.Context(), JobRef{ID: "job_1"})
	if e := failureOf(t, err); e.Kind != KindInvalid || e.Reason != "Cannot cancel this type of job" {
		t.Errorf("%+v", e)
	}
	if want := "scenario: cancel job: HTTP 400: Cannot cancel this type of job"; err.Error() != want {
		t.Errorf("%v", err)
	}
}

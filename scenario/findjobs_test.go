package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// listedJob is a job as GET /jobs shows it.
func listedJob(id, created, status, metadata string) string {
	return fmt.Sprintf(`{"jobId":%q,"jobType":"assets-download","createdAt":%q,"status":%q,"metadata":%s}`, id, created, status,
		metadata)
}

func TestFindArchiveJobsMatches(t *testing.T) {
	t.Parallel()
	yes := true
	request := ArchiveRequest{Query: Query{AssetIDs: []string{"b", "a", "a"}, ModelIDs: []string{"m"}}}
	with := func(o ArchiveOptions) ArchiveRequest { return ArchiveRequest{Query: request.Query, Options: o} }
	const query = `"query":{"assetIds":["a","b"],"inferenceIds":[],"modelIds":["m"]}`
	for _, c := range []struct {
		name    string
		request ArchiveRequest
		input   string
		matches bool
	}{
		{"the same", request, `{` + query + `,"options":{"fileNameTemplate":"<id>","flat":false}}`, true},
		{"without options", request, `{` + query + `}`, true},
		{"at the top", request, `{"assetIds":["a","b"],"modelIds":["m"],"fileNameTemplate":"<id>"}`, true},
		{"one asset more", request, `{"query":{"assetIds":["a","b","c"],"modelIds":["m"]}}`, false},
		{"one asset less", request, `{"query":{"assetIds":["a"],"modelIds":["m"]}}`, false},
		{"another model", request, `{"query":{"assetIds":["a","b"],"modelIds":["n"]}}`, false},
		{"no model", request, `{"query":{"assetIds":["a","b"]}}`, false},
		{"IDs that are none", request, `{"query":{"assetIds":["a",7],"modelIds":["m"]}}`, false},
		{"another template", request, `{` + query + `,"options":{"fileNameTemplate":"<seed>"}}`, false},
		{"flat, which was left open", request, `{` + query + `,"options":{"flat":true}}`, false},
		{"flat", with(ArchiveOptions{Flat: &yes}), `{` + query + `,"options":{"flat":true}}`, true},
		{"not flat", with(ArchiveOptions{Flat: &yes}), `{` + query + `}`, false},
		{"a template", with(ArchiveOptions{FileNameTemplate: "<seed>"}), `{` + query + `,"options":{"fileNameTemplate":"<seed>"}}`, true},
		{"not the template", with(ArchiveOptions{FileNameTemplate: "<seed>"}), `{` + query + `}`, false},
		{"originals", with(ArchiveOptions{PreferOriginal: true}), `{` + query + `,"options":{"preferOriginal":true}}`, true},
		{"no originals", with(ArchiveOptions{PreferOriginal: true}), `{` + query + `}`, false},
		{"a name", with(ArchiveOptions{ArchiveName: "x"}), `{` + query + `,"options":{"archiveName":"x"}}`, true},
		{"another name", with(ArchiveOptions{ArchiveName: "x"}), `{` + query + `,"options":{"archiveName":"y"}}`, false},
	} {
		api := script(t, scriptedAnswer{status: 200, body: `{"jobs":[` +
			listedJob("job_1", "2026-05-04T03:02:01.000Z", "queued", `{"input":`+c.input+`}`) + `]}`})
		found, err := api.client().FindArchiveJobs(t.Context(), c.request, clock)
		if err != nil || found.Unclear != 0 || (len(found.Matching) == 1) != c.matches {
			t.Errorf("%s: %+v, %v", c.name, found, err)
		}
	}
}

func TestFindArchiveJobsReadsThePages(t *testing.T) {
	t.Parallel()
	const input = `{"input":{"query":{"assetIds":["asset_1"]}}}`
	page := func(token string, jobs ...string) scriptedAnswer {
		return scriptedAnswer{status: 200, body: `{"jobs":[` + strings.Join(jobs, ",") + `],"nextPaginationToken":"` + token + `"}`}
	}
	api := script(t,
		page("2"), // a page may be empty
		page("3",
			listedJob("job_early", "2026-05-04T03:02:00.999Z", "success", input),
			`{"jobId":"job_other","jobType":"inference","createdAt":"2026-05-04T04:00:00Z","metadata":`+input+`}`,
			listedJob("job_silent", "2026-05-04T04:00:00Z", "queued", `{}`),
			listedJob("job_undated", "", "queued", input),
			listedJob("job_failed", "2026-05-04T05:00:00Z", "failure", input)),
		page("4",
			listedJob("job_first", "2026-05-04T03:02:01Z", "success", input),
			listedJob("job_last", "2026-05-04T04:00:00+00:00", "in-progress", input)),
		scriptedAnswer{status: 500}) // not asked for
	found, err := api.client().FindArchiveJobs(t.Context(), ArchiveRequest{Query: oneAsset.Query, ProjectID: "p"}, clock)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, j := range found.Matching {
		ids = append(ids, j.ID)
		if j.ProjectID != "p" || j.Endpoint != EndpointAuto {
			t.Errorf("%+v", j)
		}
	}
	if got := strings.Join(ids, " "); got != "job_last job_first job_failed" || found.Unclear != 2 {
		t.Errorf("got %s, %d unclear", got, found.Unclear)
	}
	const asked = "GET /v1/jobs?pageSize=20&projectId=p&types=assets-download&updatedAfter=2026-05-04T03%3A02%3A01Z"
	token := strings.NewReplacer("pageSize=20&", "pageSize=20&paginationToken=2&")
	want := asked + ", " + token.Replace(asked) + ", " + strings.Replace(token.Replace(asked), "Token=2", "Token=3", 1)
	if api.uris() != want {
		t.Errorf("asked\n%s\nwant\n%s", api.uris(), want)
	}
}

func TestFindArchiveJobsErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer scriptedAnswer
		kind   Kind
	}{
		"refused":   {scriptedAnswer{status: 403}, KindUnauthorized},
		"no list":   {scriptedAnswer{status: 200, body: `{"jobs":{}}`}, KindUnavailable},
		"no JSON":   {scriptedAnswer{status: 200, body: `<html>`}, KindUnavailable},
		"throttled": {scriptedAnswer{status: 429, header: map[string]string{"Retry-After": "60"}}, KindRateLimited},
	} {
		_, err := script(t, c.answer).client().FindArchiveJobs(t.Context(), oneAsset, clock)
		if failureOf(t, err).Kind != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	endless := script(t, scriptedAnswer{status: 200, body: `{"jobs":[],"nextPaginationToken":"more"}`})
	if found, err := endless.client().FindArchiveJobs(t.Context(), oneAsset, time.Time{}); err != nil || len(found.Matching) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if got := len(endless.requests()); got != maxFindPages {
		t.Errorf("%d pages were read of a list without end", got)
	}
}

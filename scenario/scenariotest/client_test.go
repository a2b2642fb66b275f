package scenariotest_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func (s *standIn) client(change ...func(*scenario.Options)) *scenario.Client {
	s.t.Helper()
	o := scenario.Options{
		BaseURL:     s.BaseURL(),
		Credentials: scenario.StaticCredentials(scenariotest.DefaultKey, scenariotest.DefaultSecret),
	}
	for _, f := range change {
		f(&o)
	}
	c, err := scenario.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// The project's client drives the stand-in: by each endpoint, from the launch to the archive.
func TestClientDrivesStandIn(t *testing.T) {
	t.Parallel()
	hide := func(status int) scenariotest.Fault {
		return scenariotest.Fault{Operation: scenariotest.OpLaunchArchive, Status: status}
	}
	for _, test := range []struct {
		name     string
		faults   []scenariotest.Fault
		endpoint scenario.Endpoint
		launched scenariotest.Operation
		routes   scenariotest.Routes
	}{
		{"guide", nil, scenario.EndpointArchive, scenariotest.OpLaunchArchive, ""},
		{"reference", nil, scenario.EndpointDownload, scenariotest.OpLaunchDownload, ""},
		{"auto", nil, scenario.EndpointAuto, scenariotest.OpLaunchArchive, ""},
		{"auto, 404", []scenariotest.Fault{hide(404)}, scenario.EndpointAuto, scenariotest.OpLaunchDownload, ""},
		{"auto, 405", []scenariotest.Fault{hide(405)}, scenario.EndpointAuto, scenariotest.OpLaunchDownload, ""},
		{"only the download status", []scenariotest.Fault{{Operation: scenariotest.OpJob, Status: 404}},
			scenario.EndpointDownload, scenariotest.OpLaunchDownload, ""},
		{"auto, only the guide's routes", nil, scenario.EndpointAuto, scenariotest.OpLaunchArchive, scenariotest.RoutesGuide},
		{"auto, only the reference's routes", nil, scenario.EndpointAuto, scenariotest.OpLaunchDownload, scenariotest.RoutesReference},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t, func(o *scenariotest.Options) { o.Faults, o.Routes = test.faults, test.routes })
			c := s.client(func(o *scenario.Options) { o.Endpoint = test.endpoint })
			job, err := c.LaunchArchive(t.Context(), scenario.ArchiveRequest{
				Query:     scenario.Query{AssetIDs: []string{"asset_1"}, InferenceIDs: nil, ModelIDs: nil},
				ProjectID: "proj_1",
			})
			if err != nil {
				t.Fatal(err)
			}
			if job, err = c.Job(t.Context(), job.Ref()); err != nil || job.Status != "queued" {
				t.Errorf("%+v, %v", job, err)
			}
			s.advance(100 * time.Second)
			job, err = c.Job(t.Context(), job.Ref())
			if err != nil || job.Status != scenario.StatusSuccess {
				t.Fatalf("%+v, %v", job, err)
			}
			got := s.download(job.ArchiveURL).body
			if r, err := zip.NewReader(bytes.NewReader(got), int64(len(got))); err != nil || len(r.File) != 1 {
				t.Errorf("%v", err)
			}
			if jobs := s.Jobs(); len(jobs) != 1 || jobs[0].Launched != test.launched || jobs[0].ProjectID != "proj_1" {
				t.Errorf("%+v", jobs)
			}
		})
	}
}

func TestClientUnderstandsRefusals(t *testing.T) {
	t.Parallel()
	one := scenario.ArchiveRequest{Query: scenario.Query{AssetIDs: []string{"asset_1"}}}
	quick := func(o *scenario.Options) { o.MaxAttempts = 1 }
	for _, test := range []struct {
		name    string
		options func(*scenariotest.Options)
		client  func(*scenario.Options)
		request scenario.ArchiveRequest
		want    scenario.Error
	}{
		{"secret", nil, func(o *scenario.Options) { o.Credentials = scenario.StaticCredentials("local-key", "wrong-secret") }, one,
			scenario.Error{Kind: scenario.KindUnauthorized, StatusCode: 401, Reason: "Unauthorized: Invalid API key or secret"}},
		{"unknown asset", nil, quick, scenario.ArchiveRequest{Query: scenario.Query{AssetIDs: []string{"asset_missing"}}},
			scenario.Error{Kind: scenario.KindNotFound, StatusCode: 404, Reason: "Not Found: Asset asset_missing was not found"}},
		{"too many of a model", func(o *scenariotest.Options) { o.AssetsPerSource = 1001 }, quick,
			scenario.ArchiveRequest{Query: scenario.Query{ModelIDs: []string{"m"}}},
			scenario.Error{Kind: scenario.KindInvalid, StatusCode: 400, Reason: "Bad Request: batch limited to 1000 assets, got 1001"}},
		{"ceiling", func(o *scenariotest.Options) { o.MaxConcurrentJobs = 1 }, quick, one,
			scenario.Error{Kind: scenario.KindRateLimited, StatusCode: 429, Action: "assets-download-concurrency", Limit: 1, RetryAfter: time.Second,
				Reason: "Too Many Requests: Too many requests for this team: assets-download-concurrency is limited to 1"}},
		{"lost answer", func(o *scenariotest.Options) { o.Faults = []scenariotest.Fault{{Skip: 1, TruncateBody: 3}} }, nil, one,
			scenario.Error{Kind: scenario.KindUncertain, StatusCode: 200,
				Reason: "the answer to the launch was lost: a job may have been made"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t, func(o *scenariotest.Options) {
				if test.options != nil {
					test.options(o)
				}
			})
			s.launch(oneAsset) // as many as the ceiling allows
			c := s.client(func(o *scenario.Options) {
				if test.client != nil {
					test.client(o)
				}
			})
			_, err := c.LaunchArchive(t.Context(), test.request)
			var got *scenario.Error
			if !errors.As(err, &got) {
				t.Fatalf("%v", err)
			}
			test.want.Op, test.want.Err = got.Op, got.Err
			if *got != test.want {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

func TestClientReadsWhyAJobFailed(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	c := s.client()
	job, err := c.LaunchArchive(t.Context(), scenario.ArchiveRequest{Query: scenario.Query{AssetIDs: []string{"asset_fail"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(time.Hour)
	job, err = c.Job(t.Context(), job.Ref())
	if err != nil || job.Status != scenario.StatusFailure || job.Reason != "The asset asset_fail could not be read" {
		t.Errorf("%+v, %v", job, err)
	}
	if err := c.CancelJob(t.Context(), job.Ref()); err == nil {
		t.Error("a failed job was canceled")
	}
}

// A launch whose answer was lost is found again among other jobs, over several pages.
func TestALostLaunchIsFound(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) {
		o.Faults = []scenariotest.Fault{{Operation: scenariotest.OpLaunchArchive, Times: 1, Drop: scenariotest.DropAfter}}
	})
	c, started := s.client(), s.clock().Add(-time.Second)
	flat := true
	request := scenario.ArchiveRequest{Query: scenario.Query{AssetIDs: []string{"asset_2", "asset_1"}},
		Options: scenario.ArchiveOptions{Flat: &flat}, ProjectID: "proj_1"}
	if _, err := c.LaunchArchive(t.Context(), request); err == nil {
		t.Fatal("the answer was not lost")
	}
	for i := range 45 {
		other := scenario.ArchiveRequest{Query: scenario.Query{AssetIDs: []string{"asset_1"}}, ProjectID: []string{"proj_1", ""}[i%2]}
		if _, err := c.LaunchArchive(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	found, err := c.FindArchiveJobs(t.Context(), request, started)
	if lost := s.Jobs()[0].ID; err != nil || len(found.Matching) != 1 || found.Matching[0].ID != lost || found.Unclear != 0 {
		t.Errorf("found %+v, %v; want %s", found, err, lost)
	}
	request.Options.Flat = nil
	if found, err := c.FindArchiveJobs(t.Context(), request, started); err != nil || len(found.Matching) != 0 {
		t.Errorf("found %+v, %v", found, err)
	}
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// fake records what it is asked to launch, and what to look for.
type fake struct {
	asked  []scenario.ArchiveRequest
	sought []scenario.ArchiveRequest
	since  time.Time
	found  scenario.FoundJobs
	err    error
}

func (a *fake) FindArchiveJobs(_ context.Context, r scenario.ArchiveRequest, since time.Time) (scenario.FoundJobs, error) {
	a.sought, a.since = append(a.sought, r), since
	return a.found, a.err
}

func (a *fake) LaunchArchive(_ context.Context, r scenario.ArchiveRequest) (scenario.Job, error) {
	a.asked = append(a.asked, r)
	return scenario.Job{ID: "job_1", Endpoint: scenario.EndpointDownload}, a.err
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("CET", 3600))

func launch(t *testing.T, a *fake, request string) (archive.LaunchOutput, error) {
	t.Helper()
	h := handler{scenario: a, bucket: "bucket", prefix: "art/", now: func() time.Time { return now }}
	return h.launch(t.Context(), slog.New(slog.DiscardHandler), archive.LaunchInput{
		Request: json.RawMessage(request), Execution: archive.Execution{ID: "arn:1", Name: "run-1"},
	})
}

func TestLaunch(t *testing.T) {
	t.Parallel()
	a := &fake{}
	got, err := launch(t, a, `{"query":{"assetIds":["a"],"modelIds":["m"]},"options":{"fileNameTemplate":"<num>"},
		"projectId":"p","timeoutSeconds":90,"destination":{"overwrite":true,"tags":{"k":"v"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := archive.LaunchOutput{
		Job:         archive.Job{ID: "job_1", Endpoint: scenario.EndpointDownload, ProjectID: "p"},
		LaunchedAt:  now.UTC(),
		Deadline:    now.UTC().Add(90 * time.Second),
		WaitSeconds: 1,
		Destination: archive.Destination{Bucket: "bucket", Key: "art/run-1.zip", Overwrite: true, Exclusive: true, Tags: map[string]string{"k": "v"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	asked := []scenario.ArchiveRequest{{
		Query:   scenario.Query{AssetIDs: []string{"a"}, ModelIDs: []string{"m"}},
		Options: scenario.ArchiveOptions{FileNameTemplate: "<num>"}, ProjectID: "p",
	}}
	if !reflect.DeepEqual(a.asked, asked) {
		t.Errorf("Scenario was asked for %+v, want %+v", a.asked, asked)
	}
}

func TestLaunchErrors(t *testing.T) {
	t.Parallel()
	const good = `{"query":{"assetIds":["a"]}}`
	for _, c := range []struct {
		name, request string
		want          archive.Name
		err           error
		asked         int
	}{
		{"a bad request is not sent", `{"query":{}}`, "RequestInvalid", nil, 0},
		{"a bad destination neither", `{"query":{"assetIds":["a"]},"destination":{"key":"../x"}}`, "RequestInvalid", nil, 0},
		{"refused", good, "RequestInvalid", &scenario.Error{Kind: scenario.KindInvalid}, 1},
		{"bad key", good, "Unauthorized", &scenario.Error{Kind: scenario.KindUnauthorized}, 1},
		{"rate limit", good, "RateLimited", &scenario.Error{Kind: scenario.KindRateLimited}, 1},
		{"no answer", good, "LaunchUncertain", &scenario.Error{Kind: scenario.KindUncertain}, 1},
		{"down", good, "ScenarioUnavailable", &scenario.Error{Kind: scenario.KindUnavailable}, 1},
	} {
		a := &fake{err: c.err}
		_, err := launch(t, a, c.request)
		if archive.NameOf(err) != c.want {
			t.Errorf("%s: got %T, want %s", c.name, err, c.want)
		}
		if len(a.asked) != c.asked {
			t.Errorf("%s: Scenario was asked %d times, want %d", c.name, len(a.asked), c.asked)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	job := func(id string) scenario.Job { return scenario.Job{ID: id} }
	for _, c := range []struct {
		name      string
		found     scenario.FoundJobs
		err       error
		job       string
		want      archive.Name
		says      string
		startTime string
	}{
		{"one", scenario.FoundJobs{Matching: []scenario.Job{job("j1")}, Unclear: 1}, nil, "j1", "", "", ""},
		{"two", scenario.FoundJobs{Matching: []scenario.Job{job("j2"), job("j1")}}, nil, "j2", "", "", ""},
		{"none", scenario.FoundJobs{}, nil, "", archive.LaunchUncertain, "no job of this request", ""},
		{"jobs that do not say", scenario.FoundJobs{Unclear: 3}, nil, "", archive.LaunchUncertain, "3 of Scenario's jobs", ""},
		{"no answer", scenario.FoundJobs{}, &scenario.Error{Kind: scenario.KindUnavailable}, "", archive.LaunchUncertain, "could not be searched", ""},
		{"not allowed", scenario.FoundJobs{}, &scenario.Error{Kind: scenario.KindUnauthorized}, "", archive.LaunchUncertain, "could not be searched", ""},
		{"no start", scenario.FoundJobs{}, nil, "", archive.Internal, "when the execution started", "soon"},
	} {
		a := &fake{found: c.found, err: c.err}
		h := handler{scenario: a, bucket: "bucket", now: func() time.Time { return now }}
		out, err := h.launch(t.Context(), slog.New(slog.DiscardHandler), archive.LaunchInput{
			Request:   json.RawMessage(`{"query":{"assetIds":["a"]},"options":{"flat":true},"projectId":"p"}`),
			Execution: archive.Execution{ID: "arn:1", Name: "run-1", StartTime: cmp.Or(c.startTime, "2026-01-02T03:04:05.678Z")}, Find: true,
		})
		if archive.NameOf(err) != c.want || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %s: %s", c.name, err, c.want, c.says)
		}
		if len(a.asked) != 0 {
			t.Errorf("%s: a job was launched", c.name)
		}
		if err == nil && (out.Job.ID != c.job || out.Job.ProjectID != "p" || out.Destination.Key != "archives/run-1.zip") {
			t.Errorf("%s: got %+v", c.name, out)
		}
		if c.startTime == "" && (!a.since.Equal(time.Date(2026, 1, 2, 3, 3, 5, 678e6, time.UTC)) || *a.sought[0].Options.Flat != true) {
			t.Errorf("%s: looked for %+v since %v", c.name, a.sought, a.since)
		}
	}
}

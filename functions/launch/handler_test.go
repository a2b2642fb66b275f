package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// api records what it is asked to launch.
type api struct {
	asked []scenario.ArchiveRequest
	err   error
}

func (a *api) LaunchArchive(_ context.Context, r scenario.ArchiveRequest) (scenario.Job, error) {
	a.asked = append(a.asked, r)
	return scenario.Job{ID: "job_1", Endpoint: scenario.EndpointDownload}, a.err
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("CET", 3600))

func launch(t *testing.T, a *api, request string) (archive.LaunchOutput, error) {
	t.Helper()
	h := handler{scenario: a, bucket: "bucket", prefix: "art/", now: func() time.Time { return now }}
	return h.launch(t.Context(), slog.New(slog.DiscardHandler), archive.LaunchInput{
		Request: json.RawMessage(request), Execution: archive.Execution{ID: "arn:1", Name: "run-1"},
	})
}

func TestLaunch(t *testing.T) {
	t.Parallel()
	a := &api{}
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
		a := &api{err: c.err}
		_, err := launch(t, a, c.request)
		if archive.NameOf(err) != c.want {
			t.Errorf("%s: got %T, want %s", c.name, err, c.want)
		}
		if len(a.asked) != c.asked {
			t.Errorf("%s: Scenario was asked %d times, want %d", c.name, len(a.asked), c.asked)
		}
	}
}

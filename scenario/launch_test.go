package scenario

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	guideAnswer     = `{"job":{"jobId":"job_1","status":"queued","progress":0.25}}`
	referenceAnswer = `{"jobId":"job_1"}`
	viaArchive      = "POST /v1/assets/archive"
	viaDownload     = "POST /v1/assets/download"
)

func TestLaunchEndpointsAndShapes(t *testing.T) {
	t.Parallel()
	withModels := ArchiveRequest{Query: Query{ModelIDs: []string{"model_1"}}}
	for _, test := range []struct {
		name     string
		endpoint Endpoint
		request  ArchiveRequest
		answers  []scriptedAnswer
		calls    string
		launched Endpoint
	}{
		{"auto takes the guide's", EndpointAuto, oneAsset,
			[]scriptedAnswer{{status: 200, body: guideAnswer}}, viaArchive, EndpointArchive},
		{"guide's endpoint, reference's shape", EndpointAuto, oneAsset,
			[]scriptedAnswer{{status: 200, body: referenceAnswer}}, viaArchive, EndpointArchive},
		{"auto after 404", EndpointAuto, oneAsset,
			[]scriptedAnswer{{status: 404}, {status: 200, body: referenceAnswer}},
			viaArchive + ", " + viaDownload, EndpointDownload},
		{"auto after 405, guide's shape", EndpointAuto, oneAsset,
			[]scriptedAnswer{{status: 405}, {status: 200, body: guideAnswer}},
			viaArchive + ", " + viaDownload, EndpointDownload},
		{"only the reference describes models", EndpointAuto, withModels,
			[]scriptedAnswer{{status: 201, body: referenceAnswer}}, viaDownload, EndpointDownload},
		{"models where there is only the guide's", EndpointAuto, withModels,
			[]scriptedAnswer{{status: 404}, {status: 200, body: guideAnswer}},
			viaDownload + ", " + viaArchive, EndpointArchive},
		{"the guide's alone", EndpointArchive, withModels,
			[]scriptedAnswer{{status: 200, body: guideAnswer}}, viaArchive, EndpointArchive},
		{"the reference's alone", EndpointDownload, oneAsset,
			[]scriptedAnswer{{status: 200, body: referenceAnswer}}, viaDownload, EndpointDownload},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := script(t, test.answers...)
			c := api.client(func(o *Options) { o.Endpoint = test.endpoint })
			job, err := c.LaunchArchive(t.Context(), test.request)
			if err != nil {
				t.Fatal(err)
			}
			if job.ID != "job_1" || job.Endpoint != test.launched {
				t.Errorf("job %q by %q, want job_1 by %q", job.ID, job.Endpoint, test.launched)
			}
			if got := api.uris(); got != test.calls {
				t.Errorf("calls: %s, want %s", got, test.calls)
			}
		})
	}
}

func TestLaunchTellsWhatTheGuideAnswers(t *testing.T) {
	t.Parallel()
	job, err := script(t, scriptedAnswer{status: 200, body: guideAnswer}).client().LaunchArchive(t.Context(), oneAsset)
	if err != nil || job.Status != "queued" || job.Progress != 0.25 {
		t.Errorf("%+v, %v", job, err)
	}
}

func TestLaunchRemembersTheEndpointThatWorked(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 404}, scriptedAnswer{status: 200, body: referenceAnswer})
	c := api.client()
	for range 2 {
		if _, err := c.LaunchArchive(t.Context(), oneAsset); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := api.uris(), viaArchive+", "+viaDownload+", "+viaDownload; got != want {
		t.Errorf("calls: %s, want %s", got, want)
	}
}

func TestLaunchDoesNotRememberAnEndpointThatFailed(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 404}, scriptedAnswer{status: 400}, scriptedAnswer{status: 200, body: guideAnswer})
	c := api.client()
	if _, err := c.LaunchArchive(t.Context(), oneAsset); failureOf(t, err).Kind != KindInvalid {
		t.Errorf("first launch: %v", err)
	}
	if job, err := c.LaunchArchive(t.Context(), oneAsset); err != nil || job.Endpoint != EndpointArchive {
		t.Errorf("second launch: %+v, %v", job, err)
	}
}

func TestLaunchAtNeitherEndpoint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		first, second scriptedAnswer
		status        int
		kind          Kind
		reason        string
	}{
		{"an unknown asset, said twice", scriptedAnswer{status: 404, body: `{"message":"no asset_1"}`},
			scriptedAnswer{status: 404, body: `{"message":"no asset_1"}`}, 404, KindNotFound, "no asset_1"},
		{"no such path, then the asset", scriptedAnswer{status: 405, body: `{"message":"nope"}`},
			scriptedAnswer{status: 404, body: `{"message":"no asset_1"}`}, 404, KindNotFound,
			"archive endpoint: nope; download endpoint: no asset_1"},
		{"no such route, then the asset", noRoute, scriptedAnswer{status: 404, body: `{"message":"no asset_1"}`}, 404, KindNotFound,
			"no asset_1"},
		{"the asset, then no such route", scriptedAnswer{status: 404, body: `{"message":"no asset_1"}`}, noRoute, 404, KindNotFound,
			"no asset_1"},
		{"neither route", noRoute, noRoute, 403, KindNotFound, "there is no such endpoint: Missing Authentication Token"},
		{"neither method", scriptedAnswer{status: 405}, scriptedAnswer{status: 405}, 405, KindInvalid, "Method Not Allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := script(t, test.first, test.second).client().LaunchArchive(t.Context(), oneAsset)
			e := failureOf(t, err)
			if e.StatusCode != test.status || e.Kind != test.kind || e.Reason != test.reason {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestLaunchRequestOnTheWire(t *testing.T) {
	t.Parallel()
	flat := true
	request := ArchiveRequest{
		Query: Query{AssetIDs: []string{"asset_1"}}, Options: ArchiveOptions{Flat: &flat}, ProjectID: "proj 1&x=y",
	}
	for _, test := range []struct {
		endpoint  Endpoint
		uri, body string
	}{
		{endpoint: EndpointArchive, uri: "/v1/assets/archive?projectId=proj+1%26x%3Dy",
			body: `{"query":{"assetIds":["asset_1"]},"options":{"flat":true}}`},
		{endpoint: EndpointDownload, uri: "/v1/assets/download?projectId=proj+1%26x%3Dy",
			body: `{"query":{"assetIds":["asset_1"],"inferenceIds":[],"modelIds":[]},` +
				`"options":{"flat":true,"fileNameTemplate":"\u003cid\u003e"}}`},
	} {
		api := script(t, scriptedAnswer{status: 200, body: referenceAnswer})
		c := api.client(func(o *Options) { o.Endpoint, o.UserAgent = test.endpoint, "tester/1" })
		job, err := c.LaunchArchive(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if job.ProjectID != request.ProjectID {
			t.Errorf("the job's project is %q", job.ProjectID)
		}
		want := seenRequest{"POST", test.uri, test.body, "Basic a2V5LTQ3MTE6czNjci90K3ZhbHVlPT0=",
			"application/json", "application/json", "tester/1"}
		if got := api.requests()[0]; got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", test.endpoint, got, want)
		}
	}
}

func TestLaunchKeepsTheTemplateGiven(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, body: referenceAnswer})
	request := ArchiveRequest{
		Query:   Query{InferenceIDs: []string{"i"}, ModelIDs: []string{"m"}},
		Options: ArchiveOptions{FileNameTemplate: "seed"},
	}
	if _, err := api.client().LaunchArchive(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	want := `{"query":{"assetIds":[],"inferenceIds":["i"],"modelIds":["m"]},"options":{"fileNameTemplate":"seed"}}`
	if got := api.requests()[0].body; got != want {
		t.Errorf("got %s", got)
	}
}

// What may follow a failed first attempt at a launch: only what proves that no job was made is repeated.
func TestLaunchIsRepeatedOnlyWhenNoJobCanExist(t *testing.T) {
	t.Parallel()
	ok := scriptedAnswer{status: 200, body: guideAnswer}
	truncated := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "500")
		fmt.Fprint(w, `{"job":`)
		_ = http.NewResponseController(w).Flush()
		hangUp(w, r)
	}
	wait := map[string]string{"Retry-After": "1"}
	for _, test := range []struct {
		name  string
		first scriptedAnswer
		kind  Kind // of the launch's error; empty: it was repeated, and went well
	}{
		{"429", scriptedAnswer{status: 429}, ""},
		{"429 with Retry-After", scriptedAnswer{status: 429, header: wait}, ""},
		{"503 with Retry-After", scriptedAnswer{status: 503, header: wait}, ""},
		{"408, by definition", scriptedAnswer{status: 408}, ""},
		{"503 alone", scriptedAnswer{status: 503}, KindUncertain},
		{"500", scriptedAnswer{status: 500}, KindUncertain},
		{"500 with Retry-After", scriptedAnswer{status: 500, header: wait}, KindUncertain},
		{"502", scriptedAnswer{status: 502}, KindUncertain},
		{"504", scriptedAnswer{status: 504}, KindUncertain},
		{"connection closed", scriptedAnswer{do: hangUp}, KindUncertain},
		{"truncated answer", scriptedAnswer{do: truncated}, KindUncertain},
		{"no JSON", scriptedAnswer{status: 200, body: "<html>"}, KindUncertain},
		{"no jobId", scriptedAnswer{status: 200, body: `{"job":{}}`}, KindUncertain},
		{"a jobId that is none", scriptedAnswer{status: 200, body: `{"jobId":"../x"}`}, KindUncertain},
		{"an estimate in place of a job", scriptedAnswer{status: 269, body: `{"creativeUnitsCost":0}`}, KindUncertain},
		{"an endless answer", scriptedAnswer{status: 200, body: guideAnswer + strings.Repeat(" ", maxBody)}, KindUncertain},
		{"400", scriptedAnswer{status: 400}, KindInvalid},
		{"409", scriptedAnswer{status: 409}, KindInvalid},
		{"403", scriptedAnswer{status: 403}, KindUnauthorized},
		{"a redirect", scriptedAnswer{status: 307, header: map[string]string{"Location": "/elsewhere"}}, KindInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := script(t, test.first, ok)
			_, err := api.client().LaunchArchive(t.Context(), oneAsset)
			calls := len(api.requests())
			if test.kind == "" {
				if err != nil || calls != 2 {
					t.Errorf("%d calls, %v; want a second one that goes well", calls, err)
				}
				return
			}
			if e := failureOf(t, err); e.Kind != test.kind || calls != 1 {
				t.Errorf("%d calls, kind %q (%v), want 1 call and %q", calls, e.Kind, err, test.kind)
			}
		})
	}
}

func TestLaunchTimeoutIsUncertain(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	api := script(t, scriptedAnswer{do: func(http.ResponseWriter, *http.Request) { <-release }})
	defer close(release)
	c := api.client(func(o *Options) { o.RequestTimeout = 50 * time.Millisecond })
	_, err := c.LaunchArchive(t.Context(), oneAsset)
	e := failureOf(t, err)
	if e.Kind != KindUncertain || !errors.Is(err, context.DeadlineExceeded) || len(api.requests()) != 1 {
		t.Errorf("%d calls, %+v", len(api.requests()), e)
	}
	if !strings.Contains(err.Error(), "within 50ms") {
		t.Errorf("does not say how long it waited: %v", err)
	}
}

func TestLaunchCanceledWhileUnderWayIsUncertain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	api := script(t, scriptedAnswer{do: func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}})
	_, err := api.client().LaunchArchive(ctx, oneAsset)
	if e := failureOf(t, err); e.Kind != KindUncertain || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", e)
	}
}

func TestLaunchIsRepeatedWhenNothingWasSent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // connections are refused from now on
	c := newTestClient(t, Options{BaseURL: "http://" + address, Credentials: StaticCredentials("k", "s"), MaxAttempts: 3})
	_, err = c.LaunchArchive(t.Context(), oneAsset)
	if e := failureOf(t, err); e.Kind != KindUnavailable || len(c.slept) != 2 {
		t.Errorf("%d waits, %+v", len(c.slept), e)
	}
	if strings.Contains(err.Error(), "/assets/") {
		t.Errorf("the error has the URL: %v", err)
	}
}

func TestLaunchesDoNotShareConnections(t *testing.T) {
	t.Parallel()
	peers := map[string]bool{}
	api := script(t, scriptedAnswer{do: func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true // one request after the other
		fmt.Fprint(w, guideAnswer)
	}})
	c := api.client()
	for range 3 {
		if _, err := c.LaunchArchive(t.Context(), oneAsset); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 3 {
		t.Errorf("%d connections for 3 launches", len(peers))
	}
}

package scenario

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	credentials := StaticCredentials("k", "s")
	for _, test := range []struct {
		name string
		o    Options
		ok   bool
	}{
		{"defaults", Options{Credentials: credentials}, true},
		{"no credentials", Options{}, false},
		{"https", Options{Credentials: credentials, BaseURL: "https://example.com/v1/"}, true},
		{"http, localhost", Options{Credentials: credentials, BaseURL: "http://localhost:9090/v1"}, true},
		{"http, 127.0.0.2", Options{Credentials: credentials, BaseURL: "http://127.0.0.2:9090"}, true},
		{"http, ::1", Options{Credentials: credentials, BaseURL: "http://[::1]:9090"}, true},
		{"http, elsewhere", Options{Credentials: credentials, BaseURL: "http://example.com/v1"}, false},
		{"http, a name that begins well", Options{Credentials: credentials, BaseURL: "http://localhost.example.com"}, false},
		{"http, an address that begins well", Options{Credentials: credentials, BaseURL: "http://127.0.0.1.example.com"}, false},
		{"no scheme", Options{Credentials: credentials, BaseURL: "example.com/v1"}, false},
		{"no host", Options{Credentials: credentials, BaseURL: "https://:443/v1"}, false},
		{"another scheme", Options{Credentials: credentials, BaseURL: "ftp://localhost"}, false},
		{"no URL", Options{Credentials: credentials, BaseURL: "https://a b"}, false},
		{"a password", Options{Credentials: credentials, BaseURL: "https://u:hunter2@example.com"}, false},
		{"a query", Options{Credentials: credentials, BaseURL: "https://example.com/v1?x"}, false},
		{"a fragment", Options{Credentials: credentials, BaseURL: "https://example.com/v1#x"}, false},
		{"unknown endpoint", Options{Credentials: credentials, Endpoint: "zip"}, false},
		{"negative attempts", Options{Credentials: credentials, MaxAttempts: -1}, false},
	} {
		c, err := New(test.o)
		if (err == nil) != test.ok || (c != nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: shows the password", test.name)
		}
	}
}

func TestBaseURLMayEndInASlash(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, body: guideAnswer})
	c := api.client(func(o *Options) { o.BaseURL += "//" })
	if _, err := c.LaunchArchive(t.Context(), oneAsset); err != nil || api.uris() != viaArchive {
		t.Errorf("%s, %v", api.uris(), err)
	}
}

func TestRequestsThatTheAPIWouldRefuse(t *testing.T) {
	t.Parallel()
	ids := func(n int) []string { return strings.Split(strings.Repeat("asset_x,", n)[:8*n-1], ",") }
	for _, test := range []struct {
		name   string
		query  Query
		reason string // a part of it; empty: the request is right
	}{
		{"empty", Query{}, "the query is empty"},
		{"empty lists", Query{AssetIDs: []string{}, ModelIDs: []string{}}, "the query is empty"},
		{"an empty ID", Query{AssetIDs: []string{"a", ""}}, "query.assetIds[1] is empty"},
		{"a blank ID", Query{InferenceIDs: []string{" \t"}}, "query.inferenceIds[0] is empty"},
		{"an empty model", Query{AssetIDs: []string{"a"}, ModelIDs: []string{""}}, "query.modelIds[0] is empty"},
		{"1001 assets", Query{AssetIDs: ids(1001)}, "1001 IDs and an archive holds at most 1000 assets: split"},
		{"1000 assets", Query{AssetIDs: ids(1000)}, ""},
		{"1001 inferences", Query{InferenceIDs: ids(1001)}, ""},
	} {
		err := ArchiveRequest{Query: test.query}.Validate()
		if test.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if e := failureOf(t, err); e.Kind != KindInvalid || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%s: %+v", test.name, e)
		}
	}
}

func TestInvalidRequestIsNotSent(t *testing.T) {
	t.Parallel()
	api := script(t, scriptedAnswer{status: 200, body: guideAnswer})
	if _, err := api.client().LaunchArchive(t.Context(), ArchiveRequest{}); err == nil || api.uris() != "" {
		t.Errorf("%s, %v", api.uris(), err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := script(t, scriptedAnswer{status: 200, body: guideAnswer})
	api := script(t, scriptedAnswer{status: 307, header: map[string]string{"Location": other.server.URL}})
	var given http.Client
	for _, change := range []func(*Options){func(*Options) {}, func(o *Options) { o.HTTPClient = &given }} {
		c := api.client(change)
		_, err := c.Job(t.Context(), JobRef{ID: "j"})
		if e := failureOf(t, err); e.Kind != KindInvalid || !strings.Contains(e.Reason, "base URL") {
			t.Errorf("%+v", e)
		}
	}
	if other.uris() != "" {
		t.Errorf("followed: %s", other.uris())
	}
	if given.CheckRedirect != nil {
		t.Error("changed the caller's HTTP client")
	}
}

type brokenTransport struct{}

func (brokenTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, errBroken }

var errBroken = errors.New("broken")

func TestErrorsOfATransportHaveNoURL(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, Options{Credentials: StaticCredentials("k", "s"), HTTPClient: &http.Client{Transport: brokenTransport{}}})
	_, err := c.Job(t.Context(), JobRef{ID: "job_1"})
	want := "scenario: get job: the API could not be reached, or its answer was lost: broken"
	if err.Error() != want || !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	api := script(t, scriptedAnswer{status: 500, body: testSecret},
		scriptedAnswer{status: 200, body: `{"job":{"status":"success","metadata":{"archiveUrl":"https://c/a?sig=zzz"}}}`})
	c := api.client(func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if _, err := c.Job(t.Context(), JobRef{ID: "job_1", ProjectID: "proj_1"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"level=DEBUG", "method=GET", "path=/v1/jobs/job_1 ", "status=500", "status=200", "attempt=1", "attempt=2", "duration="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in %s", want, log.String())
		}
	}
	for _, secret := range []string{testKey, testSecret, "Basic", "sig", "zzz", "Authorization"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q in %s", secret, log.String())
		}
	}
}

func TestATransportThatDoesNotReportMayHaveSent(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, Options{Credentials: StaticCredentials("k", "s"), HTTPClient: &http.Client{Transport: brokenTransport{}}})
	_, err := c.LaunchArchive(t.Context(), oneAsset)
	if e := failureOf(t, err); e.Kind != KindUncertain || len(c.slept) != 0 {
		t.Errorf("%d waits, %+v", len(c.slept), e)
	}
}

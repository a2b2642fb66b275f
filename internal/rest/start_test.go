package rest

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
)

func TestStart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.do(t, "POST", "/archives", ` {"options":{"fileNameTemplate":"<assetId>"}, "query":{"assetIds":["asset_1"]}}`)
	id, _ := a.body["id"].(string)
	if a.status != http.StatusAccepted || !regexp.MustCompile(`^20260102T150405Z-[a-z0-9]{12}$`).MatchString(id) {
		t.Fatalf("got %d %s", a.status, a.raw)
	}
	want := fmt.Sprintf(`{"id":%q,"executionArn":"arn:aws:states:us-east-1:000000000000:execution:archive:%s",`+
		`"status":"running","startedAt":%q,"links":{"self":"/archives/%s"}}`, id, id, a.body["startedAt"], id)
	if strings.TrimSpace(a.raw) != want {
		t.Errorf("got %s\nwant %s", a.raw, want)
	}
	if a.header.Get("Location") != "/archives/"+id || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", a.header)
	}
	input := `{"query":{"assetIds":["asset_1"]},"options":{"fileNameTemplate":"<assetId>"},"destination":{}}`
	if got := f.sfn.Inputs()[id]; got != input {
		t.Errorf("input %s", got)
	}
	if f.archive(t) == id {
		t.Error("two requests without a key are one")
	}
}

func TestLinksHaveTheStage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	inner := f.Handler
	f.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.WithContext(httpapi.WithInfo(r.Context(), httpapi.Info{RequestID: "a=/b", Prefix: "/prod"})))
	})
	a := f.do(t, "POST", "/archives", good)
	if !strings.HasPrefix(a.header.Get("Location"), "/prod/archives/2026") || a.header.Get("X-Request-Id") != "a=/b" {
		t.Errorf("got %v", a.header)
	}
	if a := f.do(t, "GET", "/x", ""); a.body["instance"] != "urn:scenario-archive:request:a=%2Fb" {
		t.Errorf("got %s", a.raw)
	}
	f.archive(t)
	if a := f.do(t, "GET", "/archives?limit=1", ""); !strings.HasPrefix(a.header.Get("Link"), "</prod/archives?cursor=") {
		t.Errorf("got %v", a.header)
	}
}

func TestRefusedRequestsStartNothing(t *testing.T) {
	t.Parallel()
	many := strings.TrimSuffix(strings.Repeat(`"asset_1",`, 1001), ",")
	long := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("a", 256)+`",`, 1000), ",")
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		error      kind
		says       string
	}{
		{"nothing", "", []string{"Content-Type", "application/json"}, 400, errRequestInvalid, "not whole JSON"},
		{"no JSON", "query=1", nil, 400, errRequestInvalid, "line 1, column 1"},
		{"half of it", `{"query":`, nil, 400, errRequestInvalid, "JSON"},
		{"two values", good + good, nil, 400, errRequestInvalid, "followed by more text"},
		{"NUL", "\x00", nil, 400, errRequestInvalid, "not JSON"},
		{"deep", strings.Repeat("[", 500000), nil, 400, errRequestInvalid, "max depth"},
		{"deep in a field", `{"query":` + strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 21), nil, 422, errRequestInvalid, "deeper than 16"},
		{"an array", "[]", nil, 422, errRequestInvalid, "must be an object"},
		{"null", "null", nil, 422, errRequestInvalid, "null"},
		{"empty query", `{"query":{}}`, nil, 422, errRequestInvalid, "at least one ID"},
		{"unknown fields", `{"query":{"assetIds":["a"],"assets":[]},"qurey":1,"options":{"flatt":true}}`, nil, 422, errRequestInvalid,
			`"options.flatt", "query.assets", "qurey"`},
		{"a key that climbs", `{"query":{"assetIds":["a"]},"destination":{"key":"../x"}}`, nil, 422, errRequestInvalid, `".."`},
		{"more models than one archive takes", `{"query":{"modelIds":[` + many + `]}}`, nil, 422, errRequestInvalid, "1001 IDs; Scenario puts at most 1000"},
		{"a name twice", `{"query":{"assetIds":["a"]},"query":{"assetIds":["b"]}}`, nil, 422, errRequestInvalid, "stands twice"},
		{"not UTF-8", "{\"query\":{\"assetIds\":[\"a\"]},\"destination\":{\"key\":\"\xff.zip\"}}", nil, 422, errRequestInvalid, "UTF-8"},
		{"more than an input takes", `{"query":{"assetIds":[` + long + `]}}`, nil, 422, errRequestInvalid, "bytes; Step Functions takes"},
		{"more than the limit", `{"query":{"assetIds":["` + strings.Repeat("a", maxBody) + `"]}}`, nil, 413, errTooLarge, "4194304 bytes"},
		{"a form", good, []string{"-Content-Type", "", "Content-Type", "application/x-www-form-urlencoded"}, 415, errMediaType, "application/json"},
		{"no type", good, []string{"-Content-Type", ""}, 415, errMediaType, "application/json"},
		{"another charset", good, []string{"-Content-Type", "", "Content-Type", "application/json; charset=utf-16"}, 415, errMediaType, "UTF-8"},
		{"compressed", good, []string{"Content-Encoding", "gzip"}, 415, errMediaType, "compressed"},
		{"a parameter", good, nil, 400, errParameterInvalid, `"dry"`},
		{"an answer in XML", good, []string{"Accept", "application/xml"}, 406, errNotAcceptable, "application/json"},
		{"an empty key", good, []string{"Idempotency-Key", `""`}, 400, errParameterInvalid, "Idempotency-Key"},
		{"a long key", good, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, errParameterInvalid, "255"},
		{"a key that is not ASCII", good, []string{"Idempotency-Key", "clé"}, 400, errParameterInvalid, "ASCII"},
		{"two keys", good, []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, 400, errParameterInvalid, "once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			target := "/archives"
			if c.name == "a parameter" {
				target += "?dry=1&X-Amz-Date=signed"
			}
			a := f.do(t, "POST", target, c.body, c.header...)
			a.problem(t, c.status, c.error, c.says)
			if f.sfn.Calls("StartExecution") != 0 || len(a.raw) > 1500 {
				t.Errorf("an execution was tried, or too much said: %.200s", a.raw)
			}
		})
	}
}

func TestAcceptedWithParametersOfMediaTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.do(t, "POST", "/archives", good, "-Content-Type", "", "Content-Type", "application/json; charset=UTF-8",
		"Content-Encoding", "identity", "Accept", "text/html;q=0.9, application/*;q=0.1")
	if a.status != http.StatusAccepted {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Handler = withBody(f.Handler, brokenBody{})
	f.do(t, "POST", "/archives", good).problem(t, 400, errRequestInvalid, "not sent whole")
}

func withBody(h http.Handler, body brokenBody) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { r.Body = body; h.ServeHTTP(w, r) })
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errPlayed }
func (brokenBody) Close() error             { return nil }

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.do(t, "POST", "/archives", good, "Idempotency-Key", "order 17")
	id := first.body["id"].(string)
	if !strings.HasPrefix(id, "order-17-") {
		t.Errorf("the name %q does not show the key", id)
	}
	same := func(when, status string) {
		t.Helper()
		a := f.do(t, "POST", "/archives", `{"query": {"modelIds":[],"assetIds":["asset_1"]}}`, "Idempotency-Key", `"order 17"`)
		if a.status != 202 || a.body["id"] != id || a.body["status"] != status || a.body["startedAt"] != first.body["startedAt"] {
			t.Errorf("%s: got %d %s", when, a.status, a.raw)
		}
	}
	other := func(when string) {
		t.Helper()
		f.do(t, "POST", "/archives", `{"query":{"assetIds":["asset_2"]}}`, "Idempotency-Key", "order 17").
			problem(t, 422, errIdempotencyReused, "another request")
	}
	same("while it runs", "running")
	other("while it runs")
	f.sfn.Finish(t, id, "FAILED", "JobFailed", "no")
	same("after its end", "failed")
	other("after its end")
	if f.do(t, "POST", "/archives", good, "Idempotency-Key", "order-17").body["id"] == id {
		t.Error("two keys that read alike are one")
	}
	if f.sfn.Started() != 2 {
		t.Errorf("%d executions", f.sfn.Started())
	}
}

// A thousand concurrent requests, ten for each of a hundred keys.
func TestConcurrentDuplicatesStartOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	server := newServer(t, f)
	var all sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]map[string]bool{}
	for i := range 1000 {
		all.Go(func() {
			key := fmt.Sprintf("key-%d", i%100)
			body := fmt.Sprintf(`{"query":{"assetIds":["asset_%d"]}}`, i%100)
			id := post(t, server, key, body)
			mu.Lock()
			defer mu.Unlock()
			if ids[key] == nil {
				ids[key] = map[string]bool{}
			}
			ids[key][id] = true
		})
	}
	all.Wait()
	for key, got := range ids {
		if len(got) != 1 {
			t.Errorf("%s: %v", key, got)
		}
	}
	if f.sfn.Started() != 100 || len(ids) != 100 {
		t.Errorf("%d executions, %d keys", f.sfn.Started(), len(ids))
	}
}

func TestStepFunctionsFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  sfntest.Fault
		status int
		error  kind
		retry  bool
	}{
		{sfntest.Fault{Status: 400, Code: "ThrottlingException"}, 429, errRateLimited, true},
		{sfntest.Fault{Status: 500, Code: "InternalServerError"}, 503, errServiceUnavailable, true},
		{sfntest.Fault{}, 503, errServiceUnavailable, true},
		{sfntest.Fault{Status: 400, Code: "AccessDeniedException"}, 500, errMisconfigured, false},
		{sfntest.Fault{Status: 400, Code: "InvalidExecutionInput"}, 422, errRequestInvalid, false},
		{sfntest.Fault{Status: 400, Code: "InvalidToken"}, 400, errParameterInvalid, false},
	} {
		f := newFixture(t)
		f.sfn.Break(func(string) *sfntest.Fault { return &c.fault })
		for _, a := range []answer{
			f.do(t, "POST", "/archives", good), f.do(t, "GET", "/archives", ""), f.do(t, "GET", "/archives/x", ""),
			f.do(t, "DELETE", "/archives/x", ""),
		} {
			a.problem(t, c.status, c.error, "")
			if got := a.header.Get("Retry-After") != ""; got != c.retry {
				t.Errorf("%d: Retry-After is %v", a.status, got)
			}
		}
		if c.fault.Code != "" && (!strings.Contains(f.logs.String(), c.fault.Code)) {
			t.Errorf("the cause is not logged: %s", f.logs)
		}
	}
}

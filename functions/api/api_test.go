package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

// deployed is the environment of the function, with every AWS call going to the test.
func deployed(sfn, s3, scenario string) map[string]string {
	return map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cret",
		"AWS_ENDPOINT_URL_SFN": sfn, "AWS_ENDPOINT_URL_S3": s3, "BUCKET": "bucket", "STATE_MACHINE_ARN": sfntest.MachineARN,
		"BATCH_STATE_MACHINE_ARN": sfntest.BatchMachineARN,
		"SCENARIO_BASE_URL":       scenario, "SCENARIO_API_KEY": "key", "SCENARIO_API_SECRET": "s3cret",
		"DOWNLOAD_ENDPOINT_URL": "https://download.example",
	}
}

type response struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

func call(t *testing.T, f *lambdatest.Function, event any) (response, map[string]any) {
	t.Helper()
	a := f.Invoke(t, event)
	var r response
	var body map[string]any
	if a.Failed || json.Unmarshal(a.Body, &r) != nil || json.Unmarshal([]byte(r.Body), &body) != nil {
		t.Fatalf("got %s\n%s", a.Body, f.Logs())
	}
	return r, body
}

func event(method, path, body string) map[string]any {
	return map[string]any{
		"version": "2.0", "rawPath": path, "body": body, "headers": map[string]string{"content-type": "application/json"},
		"requestContext": map[string]any{"requestId": "request-7", "stage": "$default", "http": map[string]any{"method": method}},
	}
}

// others plays S3 and Scenario, and keeps what they were asked.
type others struct {
	mu    sync.Mutex
	asked []string
}

func (o *others) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // an answer before that breaks the connection off, and the SDK asks again
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
	if r.URL.Query().Has("uploads") {
		_, _ = w.Write([]byte(`<ListMultipartUploadsResult><Bucket>bucket</Bucket></ListMultipartUploadsResult>`))
	}
}

func TestLifeOfAnArchive(t *testing.T) {
	t.Parallel()
	steps, o := sfntest.Start(t), &others{}
	server := httptest.NewServer(o)
	defer server.Close()
	f := lambdatest.Start(t, deployed(steps.URL(), server.URL, server.URL))

	raw, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	r, body := call(t, f, json.RawMessage(raw))
	id, _ := body["id"].(string)
	if r.StatusCode != 202 || !strings.HasPrefix(id, "heroes-2026-01-02-") || r.Headers["Location"] != "/archives/"+id {
		t.Fatalf("start: got %+v", r)
	}
	steps.Answer(t, id, "launch", sfntest.Launched(100_000))
	r, body = call(t, f, event("DELETE", "/archives/"+id, ""))
	if r.StatusCode != 200 || body["status"] != "stopped" || !strings.Contains(r.Body, `"cleanup":{"job":"canceled","upload":"aborted","object":"`) {
		t.Errorf("stop: got %+v", r)
	}
	asked := strings.Join(o.asked, "\n")
	if !strings.Contains(asked, "POST /jobs/job_1/action") || !strings.Contains(asked, "GET /b?") {
		t.Errorf("Scenario and S3 were asked:\n%s", asked)
	}
	if strings.Contains(f.Logs(), "s3cret") || !strings.Contains(f.Logs(), `"requestId":"request-7"`) {
		t.Errorf("logs:\n%s", f.Logs())
	}
}

// The same wiring inside the test's own process.
func TestFromEnvironment(t *testing.T) {
	steps, o := sfntest.Start(t), &others{}
	server := httptest.NewServer(o)
	defer server.Close()
	for name, value := range deployed(steps.URL(), server.URL, server.URL) {
		t.Setenv(name, value)
	}
	h := handler(os.Getenv, slog.New(slog.DiscardHandler))
	do := func(method, path, body string) (got map[string]any) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code >= 300 {
			t.Fatalf("%s %s: got %d %s", method, path, w.Code, w.Body)
		}
		return got
	}
	id := do("POST", "/archives", `{"query":{"assetIds":["a"]}}`)["id"].(string)
	steps.Finish(t, id, "SUCCEEDED", `{"bucket":"bucket","key":"a/b.zip","size":1,"etag":"e","checksumCRC64NVME":"c","jobId":"j","entries":1}`)
	url, _ := do("GET", "/archives/"+id, "")["download"].(map[string]any)["url"].(string)
	if !strings.HasPrefix(url, "https://download.example/bucket/a/b.zip?") || !strings.Contains(url, "X-Amz-Expires=900") ||
		!strings.Contains(url, "response-content-disposition=attachment%3B%20filename%3Db.zip") {
		t.Errorf("got %s", url)
	}
	id = do("POST", "/archives", `{"query":{"assetIds":["a"]}}`)["id"].(string)
	steps.Answer(t, id, "launch", sfntest.Launched(100_000))
	if got := do("DELETE", "/archives/"+id, "")["cleanup"]; len(o.asked) < 2 {
		t.Errorf("got %v after asking %v", got, o.asked)
	}
}

// A list as long as a body takes goes through the function into S3, and becomes a batch.
func TestBatchThroughTheRuntime(t *testing.T) {
	t.Parallel()
	steps, o := sfntest.Start(t), &others{}
	server := httptest.NewServer(o)
	defer server.Close()
	f := lambdatest.Start(t, deployed(steps.URL(), server.URL, server.URL))
	var ids strings.Builder
	n := 0
	for ; ids.Len() < 4<<20-100; n++ {
		fmt.Fprintf(&ids, `,"asset_%020d"`, n)
	}
	r, body := call(t, f, event("POST", "/archives", `{"query":{"assetIds":[`+ids.String()[1:]+`]}}`))
	id, _ := body["id"].(string)
	if r.StatusCode != 202 || !strings.HasPrefix(id, "batch-") || n < 100_000 {
		t.Fatalf("%d IDs: got %d %.300s\n%s", n, r.StatusCode, r.Body, f.Logs())
	}
	if input := steps.Inputs()[id]; len(o.asked) != 1 || !strings.HasPrefix(o.asked[0], "PUT /bucket/batches/lists/") ||
		!strings.Contains(input, `{"list":{"key":"batches/lists/`) {
		t.Errorf("S3 was asked %v; input %.300s", o.asked, input)
	}
}

func TestEventOfSomethingElse(t *testing.T) {
	t.Parallel()
	f := lambdatest.Start(t, deployed("http://127.0.0.1:1", "http://127.0.0.1:1", ""))
	if a := f.Invoke(t, map[string]any{"Records": []any{}}); !a.Failed || !strings.Contains(string(a.Body), "API Gateway") {
		t.Errorf("got %s", a.Body)
	}
}

func TestBrokenDeploymentAnswers(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	handler(func(string) string { return "" }, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("got %d", w.Code)
	}
	f := lambdatest.Start(t, map[string]string{"AWS_REGION": "us-east-1"})
	if r, body := call(t, f, event("GET", "/archives", "")); r.StatusCode != 500 || body["error"] != "Misconfigured" ||
		!strings.Contains(r.Body, "BUCKET is not set") {
		t.Errorf("got %+v", r)
	}
}

func TestEnvironmentThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"BUCKET": "", "STATE_MACHINE_ARN": "archive", "BATCH_STATE_MACHINE_ARN": "batch", "LINK_LIFETIME": "61m",
		"SCENARIO_API_SECRET": "",
	} {
		env := deployed("", "", "")
		env[name] = value
		_, err := fromEnvironment(func(n string) string { return env[n] }, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%q: got %v", name, value, err)
		}
	}
}

func TestLinkLifetime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "": 15 * time.Minute} {
		if got, err := linkLifetime(text); err != nil || got != want {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}

func TestWithoutScenario(t *testing.T) {
	t.Parallel()
	env := deployed("", "", "")
	env["SCENARIO_API_KEY"], env["SCENARIO_API_SECRET"] = "", ""
	if _, err := fromEnvironment(func(n string) string { return env[n] }, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("got %v", err)
	}
}

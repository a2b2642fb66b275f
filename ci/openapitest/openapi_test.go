package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func document(t *testing.T) libopenapi.Document {
	t.Helper()
	raw, err := os.ReadFile("../../functions/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := libopenapi.NewDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// contract sends requests and holds each answer, and each request that is meant to be right, against the document.
type contract struct {
	*backend
	url       string
	validator validator.Validator
	seen      map[string]bool
}

func newContract(t *testing.T) *contract {
	t.Helper()
	b, err := newBackend(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(authorised(gateway(b.api)))
	t.Cleanup(server.Close)
	v, errs := validator.NewValidator(document(t))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		for _, e := range errs {
			t.Error(e)
		}
	}
	return &contract{b, server.URL, v, map[string]bool{}}
}

// do sends a request; wrong says that it breaks the document on purpose. header are pairs.
func (c *contract) do(t *testing.T, want int, wrong bool, method, path, body string, header ...string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer local")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	name := method + " " + path[:min(len(path), 60)]
	if resp.StatusCode != want {
		t.Errorf("%s: got %d %s, want %d", name, resp.StatusCode, content, want)
	}
	pattern := "/archives"
	switch bare, _, _ := strings.Cut(path, "?"); {
	case strings.HasSuffix(bare, "/files"):
		pattern = "/archives/{id}/files"
	case strings.HasPrefix(path, "/archives/"):
		pattern = "/archives/{id}"
	case bare == "/syncs":
		pattern = bare
	}
	c.seen[method+" "+pattern+" "+strconv.Itoa(want)] = true
	r.Body, resp.Body = io.NopCloser(strings.NewReader(body)), io.NopCloser(bytes.NewReader(content))
	if ok, errs := c.validator.ValidateHttpResponse(r, resp); !ok {
		for _, e := range errs {
			t.Errorf("%s: the answer %d %s breaks the document: %v %v", name, resp.StatusCode, content, e, e.SchemaValidationErrors)
		}
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	if ok, errs := c.validator.ValidateHttpRequest(r); ok == wrong {
		t.Errorf("%s: the document takes the request: %v (%v)", name, ok, errs)
	}
}

const good = `{"query":{"assetIds":["asset_1"]}}`

// many is a request for 1001 assets.
var many = func() string {
	var ids strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&ids, `,"asset_%d"`, i)
	}
	return `{"query":{"assetIds":[` + ids.String()[1:] + `]}}`
}()

func TestAPIKeepsToItsDocument(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	c.do(t, 202, false, "POST", "/archives", good, "Idempotency-Key", "a b")
	c.do(t, 202, false, "POST", "/archives", `{"query":{"modelIds":["m"],"assetIds":[]},"options":{"flat":true,"fileNameTemplate":"<num>"},`+
		`"destination":{"key":"a/b.zip","overwrite":true,"tags":{"a":"b"}},"projectId":"p","timeoutSeconds":30,"Comment":"x"}`)
	for _, unpack := range []string{`true`, `false`, `null`, `{}`, `{"prefix":"a/","keepArchive":false}`} {
		c.do(t, 202, false, "POST", "/archives", `{"query":{"assetIds":["asset_1"]},"unpack":`+unpack+`}`)
	}
	c.do(t, 200, false, "POST", "/archives?dryRun=true", good)
	c.do(t, 400, true, "POST", "/archives?dryRun=2", good)
	c.do(t, 422, false, "POST", "/archives", `{"query":{"assetIds":["asset_2"]}}`, "Idempotency-Key", "a b")
	c.do(t, 422, false, "POST", "/archives", `{"query":{"assetIds":["a"]},"destination":{"key":"../x"}}`)
	for _, body := range []string{
		`{}`, `{"query":{}}`, `{"query":{"assetIds":[]}}`, `{"query":{"assetIds":["a b"]}}`, `{"query":{"assetIds":["a"]},"a":1}`,
		`{"query":{"assetIds":["a"],"b":1}}`, `{"query":{"assetIds":["a"]},"timeoutSeconds":29}`, `[]`,
		`{"query":{"assetIds":["a"]},"destination":{"key":"a","prefix":"b"}}`, `{"query":{"assetIds":["a"]},"options":{"flat":1}}`,
		`{"query":{"assetIds":["a"]},"unpack":1}`, `{"query":{"assetIds":["a"]},"unpack":{"folder":"a"}}`,
		`{"query":{"modelIds":["a"` + strings.Repeat(`,"a"`, 1000) + `]}}`,
	} {
		c.do(t, 422, true, "POST", "/archives", body)
	}
	c.do(t, 202, false, "POST", "/archives", many, "Idempotency-Key", "many")
	c.do(t, 422, false, "POST", "/archives", good, "Idempotency-Key", "many")
	c.do(t, 422, false, "POST", "/archives", strings.Replace(many, "]", `],"modelIds":["m"]`, 1))
	c.do(t, 400, true, "POST", "/archives", `{"query":`)
	c.do(t, 400, true, "POST", "/archives", good, "Idempotency-Key", strings.Repeat("k", 256))
	c.do(t, 406, false, "POST", "/archives", good, "Accept", "text/html")
	c.do(t, 413, false, "POST", "/archives", good+strings.Repeat(" ", 4<<20))
	c.do(t, 415, true, "POST", "/archives", good, "Content-Type", "text/plain")

	for _, query := range []string{"", "?limit=1", "?status=stopped", "?status=running&limit=100", "?kind=batch", "?kind=archive"} {
		c.do(t, 200, false, "GET", "/archives"+query, "")
	}
	for _, query := range []string{"?limit=0", "?limit=x", "?status=RUNNING", "?kind=map"} {
		c.do(t, 400, true, "GET", "/archives"+query, "")
	}
	c.do(t, 406, false, "GET", "/archives", "", "Accept", "text/html")

	for _, id := range []string{runningID, succeededID, failedID, timedOutID, stoppedID, batchID, doneBatchID} {
		c.do(t, 200, false, "GET", "/archives/"+id, "")
	}
	c.do(t, 404, false, "GET", "/archives/unknown", "")
	c.do(t, 404, true, "GET", "/archives/"+strings.Repeat("x", 81), "")
	c.do(t, 406, false, "GET", "/archives/"+runningID, "", "Accept", "text/html")
	c.do(t, 400, false, "GET", "/archives/"+runningID+"?verbose=1", "")

	files := "/archives/" + succeededID + "/files"
	for _, query := range []string{"", "?limit=200", "?limit=1", "?cursor=" + cursorAt(1)} {
		c.do(t, 200, false, "GET", files+query, "")
	}
	c.do(t, 400, true, "GET", files+"?limit=201", "")
	c.do(t, 400, false, "GET", files+"?cursor=x", "")
	c.do(t, 404, false, "GET", "/archives/"+runningID+"/files", "")
	c.do(t, 406, false, "GET", files, "", "Accept", "text/html")

	c.syncs(t)
	c.stops(t)
	c.faults(t)
	c.everySaidStatusWasSeen(t)
}

func (c *contract) syncs(t *testing.T) {
	t.Helper()
	const heroes = `{"name":"heroes","select":{"collectionId":"c","types":["uploaded"],"createdAfter":"2026-01-02T15:04:05Z"},` +
		`"destination":{"prefix":"heroes/"},"options":{"preferOriginal":true},"metadata":false,"tags":{"team":"art"}}`
	c.do(t, 200, false, "GET", "/syncs", "")
	c.do(t, 201, false, "POST", "/syncs", heroes)
	c.do(t, 201, false, "POST", "/syncs", heroes)
	c.do(t, 201, false, "POST", "/syncs", `{"name":"all","select":null,"destination":{"prefix":null}}`)
	c.do(t, 409, false, "POST", "/syncs", `{"name":"heroes"}`)
	c.do(t, 200, false, "POST", "/syncs?replace=true", `{"name":"all","tags":{"team":"art"}}`)
	c.do(t, 400, true, "POST", "/syncs?replace=2", heroes)
	for _, body := range []string{`{}`, `{"name":"a b"}`, `{"name":"a","select":{"b":1}}`, `{"name":"a","metadata":1}`, `{"name":"a","b":1}`} {
		c.do(t, 422, true, "POST", "/syncs", body)
	}
	c.do(t, 400, true, "POST", "/syncs", `{"name":`)
	c.do(t, 406, false, "POST", "/syncs", heroes, "Accept", "text/html")
	c.do(t, 413, false, "POST", "/syncs", heroes+strings.Repeat(" ", 4<<20))
	c.do(t, 415, true, "POST", "/syncs", heroes, "Content-Type", "text/plain")
	for _, query := range []string{"", "?limit=1", "?limit=100&cursor=all"} {
		c.do(t, 200, false, "GET", "/syncs"+query, "")
	}
	c.do(t, 400, true, "GET", "/syncs?limit=101", "")
	c.do(t, 400, false, "GET", "/syncs?cursor=.", "")
	c.do(t, 406, false, "GET", "/syncs", "", "Accept", "text/html")
	for status, code := range map[int]string{500: "AccessDenied", 503: "InternalError"} {
		c.files.failure(code)
		c.do(t, status, false, "POST", "/syncs", heroes)
		c.do(t, status, false, "GET", "/syncs", "")
	}
	c.files.failure("")
}

func (c *contract) stops(t *testing.T) {
	t.Helper()
	c.do(t, 200, false, "DELETE", "/archives/"+runningID, "")
	c.do(t, 200, false, "DELETE", "/archives/"+runningID, "")
	c.do(t, 200, false, "DELETE", "/archives/"+batchID, "")
	c.do(t, 409, false, "DELETE", "/archives/"+doneBatchID, "")
	c.do(t, 409, false, "DELETE", "/archives/"+succeededID, "")
	c.do(t, 404, false, "DELETE", "/archives/unknown", "")
	c.do(t, 406, false, "DELETE", "/archives/"+stoppedID, "", "Accept", "text/html")
	c.do(t, 400, false, "DELETE", "/archives/"+stoppedID+"?force=1", "")
}

// cursorAt is the place behind the first n files of the backend's archive.
func cursorAt(n int) string {
	line := len(`{"name":"hero.png","key":"characters/heroes/hero.png","size":9,"contentType":"image/png","crc32":"00000000"}`) + 1
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s\n%d", `"contents"`, n*line))
}

// faults are the answers when Step Functions fails.
func (c *contract) faults(t *testing.T) {
	t.Helper()
	for status, fault := range map[int]sfntest.Fault{
		429: {Status: 400, Code: "ThrottlingException"}, 500: {Status: 400, Code: "AccessDeniedException"}, 503: {Status: 500, Code: "Internal"},
	} {
		c.fake.Break(func(string) *sfntest.Fault { return &fault })
		c.do(t, status, false, "POST", "/archives", good)
		c.do(t, status, false, "GET", "/archives", "")
		c.do(t, status, false, "GET", "/archives/x", "")
		c.do(t, status, false, "DELETE", "/archives/x", "")
		c.do(t, status, false, "GET", "/archives/x/files", "")
	}
	c.fake.Break(nil)
}

// everySaidStatusWasSeen makes sure that the document promises nothing that the API never does. 401 and 403 are the
// gateway's.
func (c *contract) everySaidStatusWasSeen(t *testing.T) {
	t.Helper()
	model, err := document(t).BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			for code := range operation.Responses.Codes.FromOldest() {
				name := strings.ToUpper(method) + " " + path + " " + code
				if !slices.Contains([]string{"401", "403"}, code) && !c.seen[name] {
					t.Errorf("the document says %s, and no test has seen it", name)
				}
			}
		}
	}
}

func TestAuthoriser(t *testing.T) {
	t.Parallel()
	c := newContract(t)
	c.do(t, 401, false, "GET", "/archives", "", "Authorization", "Bearer other")
}

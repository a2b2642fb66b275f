package scenariotest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// A stand-in under test, and its clock, which stands still until it is moved.
type standIn struct {
	*scenariotest.Server
	t   *testing.T
	mu  sync.Mutex
	now time.Time
}

func newStandIn(t *testing.T, change ...func(*scenariotest.Options)) *standIn {
	t.Helper()
	s := &standIn{t: t, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	o := scenariotest.Options{JobDuration: 100 * time.Second, Now: s.clock, AssetSize: 3_000}
	for _, f := range change {
		f(&o)
	}
	s.Server = scenariotest.NewServer(o)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *standIn) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// An answer, its body read.
type answer struct {
	*http.Response
	body []byte
}

func (s *standIn) do(r *http.Request) answer {
	s.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response, body}
}

func (s *standIn) request(method, path, body string) *http.Request {
	s.t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = s.URL + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// call makes an API call with the right credentials.
func (s *standIn) call(method, path, body string) answer {
	s.t.Helper()
	r := s.request(method, path, body)
	r.SetBasicAuth(scenariotest.DefaultKey, scenariotest.DefaultSecret)
	return s.do(r)
}

// download makes a GET of an archive with headers given as "Name: value".
func (s *standIn) download(url string, headers ...string) answer {
	s.t.Helper()
	r := s.request("GET", url, "")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return s.do(r)
}

// fields decodes a JSON answer into nested maps.
func (a answer) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return m
}

func (a answer) job(t *testing.T) map[string]any {
	t.Helper()
	job, ok := a.fields(t)["job"].(map[string]any)
	if !ok {
		t.Fatalf("no job in %d %s", a.StatusCode, a.body)
	}
	return job
}

// launch launches at the guide's endpoint and gives the job's ID.
func (s *standIn) launch(body string) string {
	s.t.Helper()
	id, _ := s.call("POST", "/v1/assets/archive", body).job(s.t)["jobId"].(string)
	if id == "" {
		s.t.Fatal("no jobId")
	}
	return id
}

// archive adds an archive of some assets and gives its URL and its bytes.
func (s *standIn) archive(ids ...string) (url string, whole []byte) {
	s.t.Helper()
	id := s.AddArchive(ids...)
	return s.url(id), s.content(id)
}

func (s *standIn) url(jobID string) string {
	s.t.Helper()
	url, err := s.ArchiveURL(jobID)
	if err != nil {
		s.t.Fatal(err)
	}
	return url
}

func (s *standIn) content(jobID string) []byte {
	s.t.Helper()
	file, err := s.ArchiveFile(jobID)
	if err != nil {
		s.t.Fatal(err)
	}
	var whole bytes.Buffer
	if _, err := io.Copy(&whole, io.NewSectionReader(file, 0, file.Size())); err != nil {
		s.t.Fatal(err)
	}
	return whole.Bytes()
}

const (
	twoAssets = `{"query":{"assetIds":["asset_1","asset_2"]},"options":{"flat":true,"fileNameTemplate":"<assetId>"}}`
	oneAsset  = `{"query":{"assetIds":["asset_1"]},"options":{"fileNameTemplate":"<assetId>"}}`
)

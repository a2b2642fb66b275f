package scenariotest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// get reads an archive's URL until it breaks.
func (s *standIn) get(ctx context.Context, url, header string) (status int, body []byte, err error) {
	s.t.Helper()
	r := s.request("GET", url, "").WithContext(ctx)
	if header != "" {
		r.Header.Set("Range", header)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func TestFaultsByNumber(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.AddFault(scenariotest.Fault{Operation: scenariotest.OpJob, Skip: 1, Times: 2, Status: 503, RetryAfter: "9"})
	var got []int
	for range 5 {
		a := s.call("GET", "/v1/jobs/x", "")
		got = append(got, a.StatusCode)
		if (a.StatusCode == 503) != (a.Header.Get("Retry-After") == "9") {
			t.Errorf("%d %v", a.StatusCode, a.Header)
		}
	}
	if fmt.Sprint(got) != "[404 503 503 404 404]" {
		t.Errorf("%v", got)
	}
}

func TestFaultOfOneOperationOrAll(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, _ := s.archive("asset_1")
	s.AddFault(scenariotest.Fault{Status: 500}, scenariotest.Fault{Operation: scenariotest.OpLaunchArchive, Status: 405, Body: "gone"})
	launch := s.call("POST", "/v1/assets/archive", oneAsset)
	if launch.StatusCode != 405 || string(launch.body) != "gone" {
		t.Errorf("the later fault counts: %d %s", launch.StatusCode, launch.body)
	}
	if a := s.call("POST", "/v1/assets/download", oneAsset); a.StatusCode != 500 || a.fields(t)["error"] == nil {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := s.download(url); a.StatusCode != 200 {
		t.Errorf("archives are not part of the API: %d", a.StatusCode)
	}
	s.ClearFaults()
	if a := s.call("POST", "/v1/assets/archive", oneAsset); a.StatusCode != 200 {
		t.Errorf("after clearing: %d", a.StatusCode)
	}
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault scenariotest.Fault
		jobs  int
		body  string
	}{
		{"before", scenariotest.Fault{Drop: scenariotest.DropBefore}, 0, ""},
		{"after", scenariotest.Fault{Drop: scenariotest.DropAfter}, 1, ""},
		{"in the body", scenariotest.Fault{TruncateBody: 5}, 1, `{"job`},
		{"before the body", scenariotest.Fault{TruncateBody: -1}, 1, ``},
	} {
		s := newStandIn(t)
		test.fault.Operation = scenariotest.OpLaunchArchive
		s.AddFault(test.fault)
		r := s.request("POST", "/v1/assets/archive", oneAsset)
		r.SetBasicAuth(scenariotest.DefaultKey, scenariotest.DefaultSecret)
		response, err := http.DefaultClient.Do(r)
		var body []byte
		if err == nil {
			body, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		if err == nil || string(body) != test.body || len(s.Jobs()) != test.jobs {
			t.Errorf("%s: %q, %v, %d jobs", test.name, body, err, len(s.Jobs()))
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.AddFault(scenariotest.Fault{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.get(ctx, s.URL+"/v1/jobs/x", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	s.ClearFaults()
	s.AddFault(scenariotest.Fault{Latency: time.Millisecond})
	if a := s.call("GET", "/v1/jobs/x", ""); a.StatusCode != 404 {
		t.Errorf("%d", a.StatusCode)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for outcome, status := range map[string]string{"failure": "failure", "canceled": "canceled", "stuck": "finalizing"} {
		s := newStandIn(t)
		s.AddFault(scenariotest.Fault{Outcome: outcome, Reason: "because", Times: 1})
		id := s.launch(oneAsset)
		s.advance(time.Hour)
		job := s.call("GET", "/v1/jobs/"+id, "").job(t)
		reason := job["metadata"].(map[string]any)["error"]
		if job["status"] != status || (reason == "because") != (outcome != "stuck") {
			t.Errorf("%s: %v", outcome, job)
		}
	}
}

func TestArchiveFaults(t *testing.T) {
	t.Parallel()
	const op = scenariotest.OpArchive
	for _, test := range []struct {
		name   string
		fault  scenariotest.Fault
		header string
		status int
		body   func(whole []byte) []byte
		broken bool
	}{
		{"status", scenariotest.Fault{Status: 503, RetryAfter: "3"}, "", 503, nil, false},
		{"dropped", scenariotest.Fault{Drop: scenariotest.DropBefore}, "", 0, nil, true},
		{"range ignored", scenariotest.Fault{IgnoreRange: true}, "bytes=5-9", 200,
			func(b []byte) []byte { return b }, false},
		{"short file", scenariotest.Fault{Size: 2000}, "bytes=1000-", 206,
			func(b []byte) []byte { return b[1000:2000] }, false},
		{"cut", scenariotest.Fault{CutAt: 1500}, "", 200, func(b []byte) []byte { return b[:1500] }, true},
		{"cut in a range", scenariotest.Fault{CutAt: 1500}, "bytes=1000-", 206,
			func(b []byte) []byte { return b[1000:1500] }, true},
		{"cut before the range", scenariotest.Fault{CutAt: 1500}, "bytes=2000-2999", 206,
			func(b []byte) []byte { return b[2000:3000] }, false},
		{"cut behind the range", scenariotest.Fault{CutAt: 1500}, "bytes=0-1400", 206,
			func(b []byte) []byte { return b[:1401] }, false},
		{"cut just behind the range", scenariotest.Fault{CutAt: 1500}, "bytes=0-1499", 206,
			func(b []byte) []byte { return b[:1500] }, false},
		{"cut behind a range that cannot be", scenariotest.Fault{CutAt: 2}, "bytes=9999999-", 416, nil, false},
		{"slow", scenariotest.Fault{Bandwidth: 1 << 20}, "", 200, func(b []byte) []byte { return b }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t)
			url, whole := s.archive("asset_1", "asset_2")
			test.fault.Operation, test.fault.Times = op, 1
			s.AddFault(test.fault)
			status, body, err := s.get(t.Context(), url, test.header)
			if status != test.status || (err != nil) != test.broken {
				t.Errorf("%d, %v", status, err)
			}
			if test.body != nil && !bytes.Equal(body, test.body(whole)) {
				t.Errorf("%d bytes", len(body))
			}
			if strings.HasPrefix(test.name, "cut ") && !test.broken { // not met, so still to come
				return
			}
			if status, body, err := s.get(t.Context(), url, ""); status != 200 || err != nil || !bytes.Equal(body, whole) {
				t.Errorf("afterwards: %d, %d bytes, %v", status, len(body), err)
			}
		})
	}
}

func TestArchiveThatChanges(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, whole := s.archive("asset_1")
	s.AddFault(scenariotest.Fault{Operation: scenariotest.OpArchive, Skip: 1, Change: true})
	before := s.download(url, "Range: bytes=0-99")
	etag, date := before.Header.Get("ETag"), before.Header.Get("Last-Modified")
	for _, condition := range []string{"If-Range: " + etag, "If-Range: " + date} {
		after := s.download(url, "Range: bytes=0-99", condition)
		if after.StatusCode != 200 || after.Header.Get("ETag") == etag || bytes.Equal(after.body, whole) || len(after.body) != len(whole) {
			t.Errorf("%s: %d, %d bytes", condition, after.StatusCode, len(after.body))
		}
	}
}

func TestArchiveThatStalls(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, whole := s.archive("asset_1")
	s.AddFault(scenariotest.Fault{Operation: scenariotest.OpArchive, StallAt: 1000})
	ctx, cancel := context.WithCancel(t.Context())
	r := s.request("GET", url, "").WithContext(ctx)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 1000)
	if _, err := io.ReadFull(response.Body, first); err != nil || !bytes.Equal(first, whole[:1000]) {
		t.Errorf("%v", err)
	}
	time.AfterFunc(50*time.Millisecond, cancel)
	if n, err := io.Copy(io.Discard, response.Body); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d more bytes, %v", n, err)
	}
	if _, body, err := s.get(t.Context(), url, "bytes=1000-"); err != nil || !bytes.Equal(body, whole[1000:]) {
		t.Errorf("behind it: %d bytes, %v", len(body), err)
	}
}

func TestClosingEndsWhatStalls(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, _ := s.archive("asset_1")
	s.AddFault(scenariotest.Fault{Operation: scenariotest.OpArchive, StallAt: 1}, scenariotest.Fault{Latency: time.Hour})
	begun, ended := make(chan bool, 2), make(chan error, 2)
	for _, u := range []string{url, s.URL + "/v1/jobs/x"} {
		r := s.request("GET", u, "")
		go func() { // ends when the stand-in does
			response, err := http.DefaultClient.Do(r)
			if err == nil {
				begun <- true
				_, err = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			ended <- err
		}()
	}
	<-begun
	s.Close()
	for range 2 {
		<-ended
	}
}

func TestURLThatIsWornOut(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	id := s.AddArchive("asset_1")
	url := s.url(id)
	s.AddFault(scenariotest.Fault{Operation: scenariotest.OpArchive, ForbidAfter: 150})
	for i, want := range []int{206, 206, 403, 403} {
		if a := s.download(url, "Range: bytes=0-99"); a.StatusCode != want {
			t.Errorf("request %d: %d", i+1, a.StatusCode)
		}
	}
	if a := s.download(s.url(id), "Range: bytes=0-99"); a.StatusCode != 206 {
		t.Errorf("a fresh URL: %d", a.StatusCode)
	}
}

func TestCorruptArchive(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	id := s.AddArchive("asset_1", "asset_corrupt")
	whole := s.content(id)
	if a := s.download(s.url(id)); a.StatusCode != 200 || !bytes.Equal(a.body, whole[:len(whole)/2]) {
		t.Errorf("%d, %d bytes of %d", a.StatusCode, len(a.body), len(whole))
	}
}

func TestFaultsFromOutside(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	post := func(body string) int { return s.do(s.request("POST", "/_test/faults", body)).StatusCode }
	for name, body := range map[string]string{
		"unknown field": `{"sttus":500}`, "unknown operation": `{"operation":"zip"}`, "bad latency": `{"latency":"soon"}`,
		"bad drop": `{"drop":"never"}`, "bad outcome": `{"outcome":"success"}`, "bad status": `{"status":99}`, "cut and stall": `{"cutAt":1,"stallAt":2}`,
		"no JSON": `{`, "too long": strings.Repeat(" ", 2<<20), "nothing": "",
	} {
		if name != "nothing" && post(body) != 400 {
			t.Errorf("%s was taken", name)
		}
	}
	if got := post(`[{"operation":"job","status":503,"latency":"1ms"},{"operation":"cancel","status":500}]`); got != 204 {
		t.Errorf("an array: %d", got)
	}
	if got := post(`{"operation":"download-status","status":502}`); got != 204 {
		t.Errorf("an object: %d", got)
	}
	statuses := fmt.Sprint(s.call("GET", "/v1/jobs/x", "").StatusCode, s.call("GET", "/v1/assets/download/x", "").StatusCode)
	if statuses != "503 502" {
		t.Errorf("%s", statuses)
	}
	if a := s.do(s.request("DELETE", "/_test/faults", "")); a.StatusCode != 204 || s.call("GET", "/v1/jobs/x", "").StatusCode != 404 {
		t.Errorf("clearing: %d", a.StatusCode)
	}
}

func TestInspectionFromOutside(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	s.launch(oneAsset)
	s.advance(time.Hour)
	if a := s.do(s.request("GET", "/_test/jobs", "")); !strings.Contains(string(a.body), `"status":"success"`) {
		t.Errorf("%s", a.body)
	}
	s.call("GET", "/v1/assets", "")
	s.call("GET", "/v1/assets", "")
	if a := s.do(s.request("GET", "/_test/requests", "")); !strings.Contains(string(a.body), `"list-assets":2`) {
		t.Errorf("%s", a.body)
	}
}

func TestAdminIsForLoopback(t *testing.T) {
	t.Parallel()
	h := scenariotest.NewHandler(scenariotest.Options{})
	t.Cleanup(h.Close)
	for addr, status := range map[string]int{"127.0.0.1:1": 200, "[::1]:1": 200, "[::ffff:127.0.0.1]:1": 200, "192.0.2.1:1": 403, "": 403} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://localhost/_test/jobs", nil)
		r.RemoteAddr = addr
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%q: %d", addr, w.Code)
		}
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]scenariotest.Options{
		"negative size": {AssetSize: -1}, "short life": {URLLifetime: time.Millisecond},
		"bad fault": {Faults: []scenariotest.Fault{{Status: 1}}},
	} {
		if o.Validate() == nil || !panics(func() { scenariotest.NewHandler(o) }) {
			t.Errorf("%s: was taken", name)
		}
	}
	s := newStandIn(t)
	if !panics(func() { s.AddFault(scenariotest.Fault{Drop: "x"}) }) {
		t.Error("AddFault took a bad fault")
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

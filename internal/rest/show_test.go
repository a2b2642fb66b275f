package rest

import (
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func TestShowRunning(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Transferring(t, id)
	a := f.do(t, "GET", "/archives/"+id, "")
	want := `,"deadline":"2026-01-02T16:04:05Z",` +
		`"job":{"id":"job_1","status":"success","progress":1},"transfer":{"bytesDone":5,"bytesTotal":9},` +
		`"retry":{"error":"SourceUnavailable","cause":"no answer"},"links":`
	if a.status != 200 || a.body["status"] != "running" || a.body["state"] != "Transfer" || a.body["startedAt"] == nil || !strings.Contains(a.raw, want) {
		t.Errorf("got %d %s\nwant %s", a.status, a.raw, want)
	}
	if strings.Contains(a.raw, "cdn.example") {
		t.Error("the archive's URL is shown")
	}
}

func TestShowJustStarted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Called(t, id, "launch")
	a := f.do(t, "GET", "/archives/"+id, "")
	if a.body["state"] != "Launch" || a.body["job"] != nil || a.body["deadline"] != nil || a.body["stoppedAt"] != nil {
		t.Errorf("got %s", a.raw)
	}
}

func TestShowSucceeded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Finish(t, id, "SUCCEEDED", `{"bucket":"b","key":"k.zip","size":9,"etag":"\"e\"","checksumCRC64NVME":"c","jobId":"job_1","entries":2}`)
	a := f.do(t, "GET", "/archives/"+id, "")
	want := `"output":{"bucket":"b",` +
		`"key":"k.zip","size":9,"etag":"\"e\"","checksumCRC64NVME":"c","jobId":"job_1","entries":2},` +
		`"download":{"url":"https://s3.example/k.zip?signed",`
	if a.status != 200 || a.body["status"] != "succeeded" || a.body["stoppedAt"] == nil || !strings.Contains(a.raw, want) {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	f.fail = errPlayed
	if a := f.do(t, "GET", "/archives/"+id, ""); a.status != 200 || a.body["output"] == nil || a.body["download"] != nil {
		t.Errorf("without a link: got %d %s", a.status, a.raw)
	}
	f.fail = nil
	elsewhere := f.archive(t)
	f.sfn.Finish(t, elsewhere, "SUCCEEDED", `{"bucket":"other","key":"k.zip"}`)
	if a := f.do(t, "GET", "/archives/"+elsewhere, ""); a.status != 200 || a.body["output"] == nil || a.body["download"] != nil {
		t.Errorf("in another bucket: got %d %s", a.status, a.raw)
	}
}

func TestShowAnOutputOfSomethingElse(t *testing.T) {
	t.Parallel()
	for _, output := range []string{`"text"`, `{}`, `{"bucket":"b"}`} {
		f := newFixture(t)
		id := f.archive(t)
		f.sfn.Finish(t, id, "SUCCEEDED", output)
		if a := f.do(t, "GET", "/archives/"+id, ""); a.status != 200 || a.body["status"] != "succeeded" || a.body["output"] != nil {
			t.Errorf("%s: got %d %s", output, a.status, a.raw)
		}
	}
}

func TestShowEndsWithoutSuccess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sfn, error, cause, status, wantError, wantCause string }{
		{"FAILED", "JobFailed", "Scenario's job failed", "failed", "JobFailed", "Scenario's job failed"},
		{"FAILED", "Odd", "in https://h/p?Signature=s3cret", "failed", "Odd", "in https://h/p?…"},
		{"TIMED_OUT", "", "", "timed-out", "States.Timeout", "the execution took longer than its state machine allows"},
		{"ABORTED", "Stopped", "by somebody", "stopped", "Stopped", "by somebody"},
	} {
		f := newFixture(t)
		id := f.archive(t)
		f.sfn.Transferring(t, id)
		f.sfn.Finish(t, id, c.sfn, c.error, c.cause)
		a := f.do(t, "GET", "/archives/"+id, "")
		if a.status != 200 || a.body["status"] != c.status || a.body["error"] != c.wantError || a.body["cause"] != c.wantCause ||
			a.body["state"] != map[bool]any{true: "Failed", false: "Transfer"}[c.sfn == "FAILED"] || a.body["stoppedAt"] == nil ||
			a.body["retry"] != nil {
			t.Errorf("%s: got %s", c.sfn, a.raw)
		}
	}
}

func TestShowWithoutHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.archive(t)
	f.sfn.Break(func(operation string) *sfntest.Fault {
		if operation == "GetExecutionHistory" {
			return &sfntest.Fault{Status: 400, Code: "ThrottlingException"}
		}
		return nil
	})
	if a := f.do(t, "GET", "/archives/"+id, ""); a.status != 200 || a.body["status"] != "running" || a.body["state"] != nil {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	if !strings.Contains(f.logs.String(), "ThrottlingException") {
		t.Errorf("not logged: %s", f.logs)
	}
}

func TestShowRefusesParameters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.do(t, "GET", "/archives/x?verbose=1", "").problem(t, 400, errParameterInvalid, `"verbose"`)
	f.do(t, "DELETE", "/archives/x?force=%zz", "").problem(t, 400, errParameterInvalid, "percent-encoded")
}

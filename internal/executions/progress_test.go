package executions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/sfntest"
)

// The data as the archive's state machine carries it.
const (
	launched = `{"job":{"jobId":"job_1","endpoint":"archive","projectId":"p"},"launchedAt":"2026-01-02T15:04:05Z",` +
		`"deadline":"2026-01-02T16:04:05Z","destination":{"bucket":"b","key":"k.zip","overwrite":false},` +
		`"poll":{"waitSeconds":1},"expiries":{"count":0}}`
	signedURL = "https://cdn.example.com/a.zip?Signature=s3cret"
)

func polled(status string, progress float64, url string) string {
	return strings.Replace(launched, `"poll":{"waitSeconds":1}`, fmt.Sprintf(`"poll":{"status":%q,"scenarioStatus":`+
		`"warming-up","progress":%g,"waitSeconds":3,"archiveUrl":%q,"cause":""}`, status, progress, url), 1)
}

func unfinished(data string) string {
	return strings.TrimSuffix(data, "}") + `,"transfer":{"finished":false,"output":null}}`
}

type history struct {
	s *sfntest.Server
}

func (h history) succeed(output string) {
	h.s.Event("x", "TaskSucceeded", "taskSucceededEventDetails", map[string]any{"resourceType": "lambda", "resource": "invoke", "output": output})
}

func (h history) fail(errorName, cause string) {
	h.s.Event("x", "TaskScheduled", "taskScheduledEventDetails", map[string]any{"resourceType": "lambda", "parameters": "{}"})
	h.s.Event("x", "TaskFailed", "taskFailedEventDetails", map[string]any{"resourceType": "lambda", "error": errorName, "cause": cause})
}

func (h history) launch() {
	h.s.Event("x", "ExecutionStarted", "executionStartedEventDetails", map[string]any{"input": one})
	h.s.Enter("x", "Task", "Launch", one)
	h.s.Exit("x", "Task", "Launch", launched)
}

func TestProgress(t *testing.T) {
	t.Parallel()
	job := archive.Job{ID: "job_1", Endpoint: "archive", ProjectID: "p"}
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	known := Progress{Job: job, LaunchedAt: at, Deadline: at.Add(time.Hour), Destination: archive.Destination{Bucket: "b", Key: "k.zip"}}
	with := func(change func(*Progress)) Progress {
		p := known
		change(&p)
		return p
	}
	for _, c := range []struct {
		name string
		make func(history)
		want Progress
	}{
		{"nothing yet", func(history) {}, Progress{}},
		{"launching", func(h history) { h.s.Enter("x", "Task", "Launch", one) }, Progress{State: "Launch"}},
		{"launching again", func(h history) {
			h.s.Enter("x", "Task", "Launch", one)
			h.fail("ScenarioUnavailable", `{"errorMessage":"first","errorType":"ScenarioUnavailable"}`)
			h.fail("RateLimited", `{"errorMessage":"Scenario asks for fewer","errorType":"RateLimited"}`)
		}, Progress{State: "Launch", RetryError: "RateLimited", RetryCause: "Scenario asks for fewer"}},
		{"between launch and wait", func(h history) { h.launch() }, with(func(p *Progress) { p.State = "Launch" })},
		{"before the first poll", func(h history) { h.launch(); h.s.Enter("x", "Wait", "Wait", launched) },
			with(func(p *Progress) { p.State = "Wait" })},
		{"a timeout in the first poll", func(h history) {
			h.launch()
			h.s.Enter("x", "Task", "Poll", launched)
			h.s.Event("x", "TaskTimedOut", "taskTimedOutEventDetails", map[string]any{"error": "States.Timeout"})
		}, with(func(p *Progress) { p.State, p.RetryError = "Poll", "States.Timeout" })},
		{"waiting", func(h history) {
			h.launch()
			h.fail("RateLimited", "of an earlier state")
			h.s.Exit("x", "Task", "Poll", polled("running", 0.4, ""))
			h.s.Enter("x", "Wait", "Wait", polled("running", 0.4, ""))
		}, with(func(p *Progress) {
			p.State, p.Polled, p.ScenarioStatus, p.JobProgress = "Wait", true, "warming-up", 0.4
		})},
		{"the transfer's second function", func(h history) {
			h.launch()
			h.s.Enter("x", "Task", "Transfer", polled("success", 1, signedURL))
			h.succeed(`{"ExecutedVersion":"$LATEST","Payload":{"finished":false,"bytesDone":5,"bytesTotal":9,"output":null}}`)
			h.s.Exit("x", "Task", "Transfer", unfinished(polled("success", 1, signedURL)))
			h.s.Enter("x", "Choice", "CheckTransfer", unfinished(polled("success", 1, signedURL)))
			h.s.Enter("x", "Task", "Transfer", unfinished(polled("success", 1, signedURL)))
		}, with(func(p *Progress) {
			p.State, p.Polled, p.ScenarioStatus, p.JobProgress = "Transfer", true, "warming-up", 1
			p.BytesDone, p.BytesTotal = 5, 9
		})},
		{"a failure whose cause has the URL", func(h history) {
			h.launch()
			h.s.Enter("x", "Task", "Transfer", polled("success", 1, signedURL))
			h.fail("SourceUnavailable", "GET "+signedURL+" failed")
		}, with(func(p *Progress) {
			p.State, p.Polled, p.ScenarioStatus, p.JobProgress = "Transfer", true, "warming-up", 1
			p.RetryError, p.RetryCause = "SourceUnavailable", "GET https://cdn.example.com/a.zip?… failed"
		})},
		{"many retries", func(h history) {
			h.launch()
			h.s.Enter("x", "Task", "Poll", launched)
			for range 60 {
				h.fail("ScenarioUnavailable", "no answer")
			}
		}, with(func(p *Progress) { p.State, p.RetryError, p.RetryCause = "Poll", "ScenarioUnavailable", "no answer" })},
		{"more retries than are read", func(h history) {
			h.launch()
			for range 200 {
				h.fail("ScenarioUnavailable", "no answer")
			}
		}, Progress{RetryError: "ScenarioUnavailable", RetryCause: "no answer"}},
		{"data of somebody else's definition", func(h history) {
			h.s.Enter("x", "Task", "Other", `{"job":"a string"}`)
			h.s.Exit("x", "Task", "Other", `not JSON`)
		}, Progress{State: "Other"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, s := machine(t)
			start(t, m, "x")
			c.make(history{s})
			got, err := m.Progress(t.Context(), "x")
			if err != nil {
				t.Fatal(err)
			}
			if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", c.want); g != w {
				t.Errorf("got  %s\nwant %s", g, w)
			}
			if strings.Contains(fmt.Sprintf("%+v", got), "s3cret") {
				t.Error("a signature came through")
			}
			if n := s.Calls("GetExecutionHistory"); n > historyPages {
				t.Errorf("%d pages", n)
			}
		})
	}
}

func TestWithoutSignatures(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "plain": "plain", "https://h/p": "https://h/p",
		"see https://h/p?a=b&c=d now":      "see https://h/p?… now",
		`{"u":"https://h/p?a=b\u0026c=d"}`: `{"u":"https://h/p?…"}`,
		`{"u":"https:\/\/h\/p?a=b"}`:       `{"u":"https:\/\/h\/p?…"}`,
		"HTTPS://h?x http://i?y":           "HTTPS://h?… http://i?…",
		"https://h/p#frag?x=secret":        "https://h/p?…",
	} {
		if got := withoutSignatures(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

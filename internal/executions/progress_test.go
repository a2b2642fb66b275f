package executions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// playing is the execution x, whose functions the test plays.
type playing struct {
	*sfntest.Server
	t *testing.T
}

func (p playing) answer(function string, result any) { p.Answer(p.t, "x", function, result) }

func (p playing) fail(function, errorName, message string) {
	p.Fail(p.t, "x", function, &sfntest.FunctionError{Type: errorName, Message: message})
}

// launch lets the first look at the job be due at once, or after a long wait.
func (p playing) launch(waitSeconds int) { p.answer("launch", sfntest.Launched(waitSeconds)) }

func TestProgress(t *testing.T) {
	t.Parallel()
	job := archive.Job{ID: "job_1", Endpoint: "download", ProjectID: "p"}
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	known := Progress{Job: job, LaunchedAt: at, Deadline: at.Add(time.Hour), Destination: archive.Destination{Bucket: "b", Key: "k.zip"}}
	with := func(change func(*Progress)) Progress {
		p := known
		change(&p)
		return p
	}
	for _, c := range []struct {
		name string
		make func(playing)
		want Progress
	}{
		{"launching", func(p playing) { p.Rest(p.t, "x") }, Progress{State: "Launch"}},
		{"launching again", func(p playing) {
			p.fail("launch", "ScenarioUnavailable", "first")
			p.fail("launch", "RateLimited", "Scenario asks for fewer")
		}, Progress{State: "Launch", RetryError: "RateLimited", RetryCause: "Scenario asks for fewer"}},
		{"before the first poll", func(p playing) { p.launch(100_000) }, with(func(p *Progress) { p.State = "Wait" })},
		{"a timeout in the first poll", func(p playing) {
			p.launch(0)
			p.Fail(p.t, "x", "poll", &asl.Error{Name: "States.Timeout"})
		}, with(func(p *Progress) { p.State, p.RetryError = "Poll", "States.Timeout" })},
		{"waiting", func(p playing) {
			p.launch(0)
			p.fail("poll", "ScenarioUnavailable", "of an earlier state")
			p.answer("poll", sfntest.Polled("running", 0.4))
		}, with(func(p *Progress) {
			p.State, p.Polled, p.ScenarioStatus, p.JobProgress = "Wait", true, "warming-up", 0.4
		})},
		{"the transfer's second function", func(p playing) {
			p.launch(0)
			p.answer("poll", sfntest.Polled("success", 1))
			p.answer("transfer", map[string]any{"finished": false, "bytesDone": 5, "bytesTotal": 9, "output": nil})
		}, with(func(p *Progress) {
			p.State, p.Polled, p.ScenarioStatus, p.JobProgress = "Transfer", true, "success", 1
			p.BytesDone, p.BytesTotal = 5, 9
		})},
		{"a failure whose cause has the URL", func(p playing) {
			p.launch(0)
			p.answer("poll", sfntest.Polled("success", 1))
			p.fail("transfer", "SourceUnavailable", "GET "+sfntest.SignedURL+" failed")
		}, with(func(p *Progress) {
			p.State, p.Polled, p.ScenarioStatus, p.JobProgress = "Transfer", true, "success", 1
			p.RetryError, p.RetryCause = "SourceUnavailable", "GET https://cdn.example.com/a.zip?… failed"
		})},
		{"many retries", func(p playing) { p.failOften(60) },
			Progress{State: "Launch", RetryError: "RateLimited", RetryCause: "no answer"}},
		{"more retries than are read", func(p playing) { p.failOften(110) },
			Progress{RetryError: "RateLimited", RetryCause: "no answer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, s := machine(t)
			start(t, m, "x")
			c.make(playing{s, t})
			checkProgress(t, m, s, c.want)
		})
	}
}

func (p playing) failOften(n int) {
	for range n {
		p.fail("launch", "RateLimited", "no answer")
	}
}

func checkProgress(t *testing.T, m *Machine, s *sfntest.Server, want Progress) {
	t.Helper()
	got, err := m.Progress(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
	if strings.Contains(fmt.Sprintf("%+v", got), "s3cret") {
		t.Error("a signature came through")
	}
	if n := s.Calls("GetExecutionHistory"); n > historyPages {
		t.Errorf("%d pages", n)
	}
}

func TestProgressOfAnotherDefinition(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt":"Other","States":{"Other":{"Type":"Pass","Parameters":{"job":"a string"},"End":true}}}`
	m, s := machine(t, sfntest.WithMachines(sfn.MachineConfig{Name: "archive", Definition: []byte(definition)}))
	if _, err := s.Wait(t.Context(), start(t, m, "x").ARN); err != nil {
		t.Fatal(err)
	}
	checkProgress(t, m, s, Progress{State: "Other"})
}

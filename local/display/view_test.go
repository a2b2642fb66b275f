package display

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// story plays events to a view or a feed as the archive state machine makes them.
type story struct {
	clock *clock
	event func(asl.Event)
}

func (s story) send(kind asl.EventType, d asl.Details) {
	s.event(asl.Event{Time: s.clock.Now(), Type: kind, Details: d})
}

func (s story) task(state string, took time.Duration, output string) {
	s.send("TaskStateEntered", asl.Details{Name: state})
	s.send("TaskScheduled", asl.Details{})
	s.clock.advance(took)
	s.send("TaskSucceeded", asl.Details{Output: output})
	s.send("TaskStateExited", asl.Details{Name: state, Output: output})
}

func (s story) wait(seconds int) {
	s.send("WaitStateEntered", asl.Details{Name: "Wait", Input: fmt.Sprintf(`{"poll":{"waitSeconds":%d}}`, seconds)})
	s.clock.advance(time.Duration(seconds) * time.Second)
	s.send("WaitStateExited", asl.Details{Name: "Wait"})
}

func (s story) poll(status, scenarioStatus string, progress float64) {
	s.task("Poll", 0, fmt.Sprintf(`{"poll":{"status":%q,"scenarioStatus":%q,"progress":%g,"archiveUrl":"https://host/a?sig=SECRET"}}`,
		status, scenarioStatus, progress))
	s.send("ChoiceStateEntered", asl.Details{Name: "CheckJob"})
	s.send("ChoiceStateExited", asl.Details{Name: "CheckJob"})
}

func (s story) untilTransfer() {
	s.send("ExecutionStarted", asl.Details{})
	s.task("Launch", 500*time.Millisecond, `{"job":{"jobId":"job_1"}}`)
	s.wait(1)
	s.poll("running", "queued", 0.1)
	s.wait(2)
	s.poll("running", "queued", 0.299)
	s.wait(2)
	s.poll("success", "success", 1)
}

const transferred = `{"transfer":{"finished":true,"output":{"size":10485760,"entries":24}}}`

const viewARN = "arn:aws:states:us-east-1:000000000000:execution:archive:a"

func newStory(isTerminal bool) (story, *View, *terminal) {
	s, out, c := newTestScreen(isTerminal, false)
	v := s.View(viewARN, c.Now())
	return story{c, func(e asl.Event) { v.Event(viewARN, e) }}, v, out
}

func TestViewInPlainLines(t *testing.T) {
	t.Parallel()
	s, v, out := newStory(false)
	s.untilTransfer()
	s.send("TaskStateEntered", asl.Details{Name: "Transfer"})
	s.send("TaskScheduled", asl.Details{})
	v.Bytes("a", 0, 10<<20)
	for range 11 { // a line each 5 s
		s.clock.advance(time.Second)
		v.Bytes("a", 5<<20, 10<<20)
	}
	s.send("TaskFailed", asl.Details{Error: "Runtime.ExitError", Cause: `{"errorType":"Runtime.ExitError","errorMessage":"signal: killed"}`})
	s.clock.advance(time.Second)
	s.send("TaskScheduled", asl.Details{})
	s.clock.advance(4 * time.Second)
	s.send("TaskStateExited", asl.Details{Name: "Transfer", Output: transferred})
	s.send("ExecutionSucceeded", asl.Details{})
	v.Close()
	want := []string{
		"    0.5 s  Launch       job job_1",
		"    0.5 s  Wait         1.0 s until the next poll",
		"    1.5 s  Poll         queued, 10 %",
		"    1.5 s  Wait         2.0 s until the next poll; the job: queued, 10 %",
		"    3.5 s  Poll         queued, 29 %",
		"    3.5 s  Wait         2.0 s until the next poll; the job: queued, 29 %",
		"    5.5 s  Poll         success",
		"    5.5 s  Transfer     transferring the archive into S3",
		"     11 s  Transfer     5.00 MiB of 10.00 MiB, 50 %",
		"     16 s  Transfer     5.00 MiB of 10.00 MiB, 50 %",
		"     17 s  Transfer     Runtime.ExitError: signal: killed",
		"     18 s  Transfer     transferring the archive into S3, attempt 2",
		"     22 s  Transfer     24 files, 10.0 MiB in 16 s, 640.0 KiB/s",
		"     22 s  Done         ",
		"",
	}
	if got := out.text(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%swant\n%s", got, strings.Join(want, "\n"))
	}
	if times := v.Times(); times != (Times{Launch: 500 * time.Millisecond, Job: 5 * time.Second, Transfer: 16 * time.Second}) {
		t.Errorf("times %+v", times)
	}
	if strings.Contains(out.text(), "SECRET") {
		t.Error("a signed URL is shown")
	}
}

func TestViewOnATerminal(t *testing.T) {
	t.Parallel()
	s, v, out := newStory(true)
	s.untilTransfer()
	s.send("TaskStateEntered", asl.Details{Name: "Transfer"})
	live := func() string {
		v.screen.redraw()
		lines := out.lines()
		return lines[len(lines)-1]
	}
	if text := live(); !strings.Contains(text, "Transfer     transferring the archive into S3") {
		t.Errorf("live line %q", text)
	}
	v.Bytes("b", 9<<20, 10<<20) // another execution's
	v.Event("arn:aws:states:us-east-1:000000000000:execution:archive:b", asl.Event{Type: "TaskStateEntered", Details: asl.Details{Name: "Launch"}})
	v.Bytes("a", 3<<20, 10<<20)
	if text := live(); !strings.Contains(text, "30 % 3.00 MiB of 10.00 MiB") || !strings.Contains(text, "=>") {
		t.Errorf("no bar: %q", text)
	}
	v.Bytes("a", 11<<20, 10<<20) // a retry may count bytes again
	if text := live(); !strings.Contains(text, "100 %") {
		t.Errorf("live line %q", text)
	}
	s.send("TaskStateExited", asl.Details{Name: "Transfer", Output: transferred})
	s.send("ExecutionSucceeded", asl.Details{})
	v.Close()
	var states []string
	for _, line := range out.lines() {
		if fields := strings.Fields(line); len(fields) > 2 {
			states = append(states, fields[2])
		}
	}
	// The second poll brought no new status: the live line was enough for it.
	if got := strings.Join(states, " "); got != "Launch Poll Poll Transfer Done" {
		t.Errorf("lines that stay: %s", got)
	}
}

func TestViewOfFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind    asl.EventType
		details asl.Details
		want    string
	}{
		{"ExecutionFailed", asl.Details{Error: "JobFailed", Cause: "why"}, "Failed       JobFailed"},
		{"ExecutionTimedOut", asl.Details{Error: "States.Timeout"}, "Failed       States.Timeout"},
		{"ExecutionAborted", asl.Details{Error: "Interrupted"}, "Stopped      Interrupted"},
		{"TaskTimedOut", asl.Details{Error: "States.Timeout"}, "             States.Timeout"},
		{"TaskStateExited", asl.Details{Name: "AbortUpload"}, "AbortUpload  nothing is left of the upload"},
		{"TaskStateExited", asl.Details{Name: "Transfer", Output: `{"transfer":{"finished":false}}`}, "not finished in one run"},
	} {
		s, _, out := newStory(false)
		s.send(test.kind, test.details)
		if !strings.Contains(out.text(), test.want) {
			t.Errorf("%s: %q", test.kind, out.text())
		}
	}
}

// A step whose failure the state machine catches exits as well.
func TestCaughtFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ state, want string }{
		{"Transfer", ""}, {"Launch", ""}, {"Poll", ""}, {"AbortUpload", "the unfinished upload is still in S3"},
	} {
		s, _, out := newStory(false)
		s.send("TaskStateEntered", asl.Details{Name: test.state})
		s.send("TaskScheduled", asl.Details{})
		s.send("TaskFailed", asl.Details{Error: "SourceUnavailable", Cause: "no answer"})
		s.send("TaskStateExited", asl.Details{Name: test.state, Output: `{"job":{"jobId":"job_1"},"error":{}}`})
		_, after, _ := strings.Cut(out.text(), "SourceUnavailable: no answer\n")
		if test.want == "" && after != "" || !strings.Contains(after, test.want) {
			t.Errorf("%s: after the failure %q, want %q", test.state, after, test.want)
		}
	}
}

func TestUnknownStatesAndOutputs(t *testing.T) {
	t.Parallel()
	s, _, out := newStory(false)
	s.task("Plan", time.Second, `[1,2]`)
	s.task("Launch", time.Second, `not JSON`)
	want := "    1.0 s  Plan         \n    2.0 s  Launch       \n"
	if out.text() != want {
		t.Errorf("got %q", out.text())
	}
}

func TestFeedOfManyExecutions(t *testing.T) {
	t.Parallel()
	screen, out, c := newTestScreen(false, false)
	f := screen.Feed()
	const arn = "arn:aws:states:us-east-1:000000000000:execution:archive:"
	a := story{c, func(e asl.Event) { f.Event(arn+"a", e) }}
	b := story{c, func(e asl.Event) { f.Event(arn+"longer", e) }}
	a.untilTransfer()
	b.untilTransfer()
	a.send("TaskStateEntered", asl.Details{Name: "Transfer"})
	f.Bytes("a", 1, 10)
	c.advance(6 * time.Second)
	f.Bytes("a", 5, 10)
	f.Bytes("a", 6, 10) // too soon
	f.Bytes("a", 6, 0)  // not known yet how large it is
	f.Bytes("nobody", 6, 10)
	a.send("TaskStateExited", asl.Details{Name: "Transfer", Output: transferred})
	a.send("ExecutionSucceeded", asl.Details{})
	b.send("ExecutionFailed", asl.Details{Error: "JobFailed", Cause: "no such asset"})
	resumed := story{c, func(e asl.Event) { f.Event(arn+"resumed", e) }} // an earlier process saw the step begin
	resumed.send("TaskStateExited", asl.Details{Name: "Transfer", Output: transferred})
	resumed.send("ExecutionSucceeded", asl.Details{})
	text := out.text()
	for _, want := range []string{"  a  Started", "  a  Launch       job job_1\n", "  a  Poll         queued, 10 %\n", "  longer  Started",
		"  a       Transfer     24 files", "  a       Done\n", "  longer  Failed       JobFailed: no such asset\n",
		"  resumed  Transfer     24 files, 10.0 MiB\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the feed lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "29 %") || strings.Count(text, "Transfer     5 B of 10 B")+strings.Count(text, "6 B of") > 1 {
		t.Errorf("too many lines:\n%s", text)
	}
	if len(f.executions) > 0 {
		t.Errorf("executions that have ended are kept: %v", f.executions)
	}
}

func TestEveryNamedErrorHasAHint(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"RequestInvalid", "Unauthorized", "RateLimited", "ScenarioUnavailable", "JobFailed", "JobCanceled",
		"JobTimedOut", "ArchiveURLExpired", "ArchiveChanged", "ArchiveCorrupt", "ArchiveTooLarge", "SourceForbidden", "DestinationConflict"} {
		if hints[name] == "" {
			t.Errorf("no hint for %s", name)
		}
	}
}

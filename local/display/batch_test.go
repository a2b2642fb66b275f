package display

import (
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

const (
	batchARN = "arn:aws:states:us-east-1:0:execution:batch:heroes"
	childARN = "arn:aws:states:us-east-1:0:execution:batch/Archives:c1"
	oneARN   = "arn:aws:states:us-east-1:0:execution:archive:heroes-0001"
)

func TestBatchText(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := newBatch()
	at := func(after time.Duration, want string) {
		t.Helper()
		if got := b.text(started.Add(after)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	at(0, "reading the list")
	b.plan(asl.Event{Time: started, Type: "TaskStateExited", Details: asl.Details{Name: "Plan", Output: `{"plan":{"archives":10,"finished":2}}`}})
	at(0, "2 of 10 archives, 0 B")
	b.moving["heroes-0003"] = 1 << 20
	at(time.Second, "2 of 10 archives, 1.0 MiB")
	if b.child(asl.Event{Type: "TaskScheduled"}) {
		t.Error("a task ended an archive")
	}
	delete(b.moving, "heroes-0003")
	if !b.child(asl.Event{Type: "ExecutionSucceeded", Details: asl.Details{Output: `{"output":{"size":3145728}}`}}) {
		t.Error("the end of a child ended no archive")
	}
	at(10*time.Second, "3 of 10 archives, 3.0 MiB, about 1 min 10 s left")
	b.child(asl.Event{Type: "ExecutionFailed"})
	at(10*time.Second, "3 of 10 archives, 3.0 MiB, 1 failed, about 30 s left")
	for range 6 {
		b.child(asl.Event{Type: "ExecutionSucceeded"})
	}
	at(20*time.Second, "9 of 10 archives, 3.0 MiB, 1 failed")
	resumed := newBatch()
	resumed.child(asl.Event{Type: "ExecutionSucceeded", Details: asl.Details{Output: `{"output":{"size":1024}}`}})
	if got := resumed.text(started); got != "1 archives since the start, 1.0 KiB" {
		t.Errorf("got %q", got)
	}
}

// playBatch plays the events of a batch of two archives, of which the second fails.
func playBatch(c *clock, event func(arn string, e asl.Event)) {
	send := func(arn string, kind asl.EventType, d asl.Details) {
		event(arn, asl.Event{Time: c.Now(), Type: kind, Details: d})
	}
	send(batchARN, "ExecutionStarted", asl.Details{})
	send(batchARN, "TaskStateEntered", asl.Details{Name: "Plan"})
	send(batchARN, "TaskStateExited", asl.Details{Name: "Plan", Output: `{"plan":{"archives":2}}`})
	send(oneARN, "ExecutionStarted", asl.Details{Input: `{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"` + childARN + `"}`})
	send(oneARN, "TaskStateEntered", asl.Details{Name: "Launch"})
	send(oneARN, "TaskStateExited", asl.Details{Name: "Launch", Output: `{"job":{"jobId":"job_1"}}`})
	c.advance(10 * time.Second)
	send(oneARN, "ExecutionSucceeded", asl.Details{})
	send(childARN, "ExecutionSucceeded", asl.Details{Output: `{"output":{"size":2048}}`})
	send(strings.Replace(oneARN, "0001", "0002", 1), "ExecutionStarted", asl.Details{Input: `{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"` + childARN + `"}`})
	send(strings.Replace(oneARN, "0001", "0002", 1), "ExecutionFailed", asl.Details{Error: "JobFailed", Cause: "the job failed"})
	c.advance(10 * time.Second)
	send(childARN, "ExecutionFailed", asl.Details{Error: "States.TaskFailed"})
	send(batchARN, "ExecutionSucceeded", asl.Details{})
}

func wantLines(t *testing.T, text string, want, unwanted []string) {
	t.Helper()
	for _, w := range want {
		if strings.Count(text, w) != 1 {
			t.Errorf("%q is there %d times in\n%s", w, strings.Count(text, w), text)
		}
	}
	for _, w := range unwanted {
		if strings.Contains(text, w) {
			t.Errorf("%q is in\n%s", w, text)
		}
	}
}

func TestBatchView(t *testing.T) {
	t.Parallel()
	s, out, c := newTestScreen(false, false)
	v := s.BatchView(batchARN, c.Now())
	playBatch(c, func(arn string, e asl.Event) {
		v.Event(arn, e)
		v.Bytes("heroes-0001", 1024, 2048)
	})
	v.Close()
	wantLines(t, out.text(), []string{
		"Plan", "heroes-0002: JobFailed: the job failed", "1 of 2 archives, 3.0 KiB, 1 failed\n", "Done",
	}, []string{"job_1", "c1", "Launch"})
}

func TestBatchViewOnATerminal(t *testing.T) {
	t.Parallel()
	s, out, c := newTestScreen(true, false)
	v := s.BatchView(batchARN, c.Now())
	playBatch(c, func(arn string, e asl.Event) { v.Event(arn, e) })
	if got := v.liveText(); !strings.HasSuffix(got, "1 of 2 archives, 2.0 KiB, 1 failed") {
		t.Errorf("got %q", got)
	}
	v.Close()
	if strings.Contains(out.text(), "about 0.0 s left") {
		t.Errorf("got %q", out.text())
	}
}

func TestBatchInAFeed(t *testing.T) {
	t.Parallel()
	s, out, c := newTestScreen(false, false)
	f := s.Feed()
	playBatch(c, func(arn string, e asl.Event) {
		f.Event(arn, e)
		if isChild(arn) {
			f.Child(batchARN, e)
		}
		f.Bytes("heroes-0001", 1024, 2048)
	})
	wantLines(t, out.text(), []string{
		"heroes  Started", "heroes  Plan", "1 of 2 archives, 2.0 KiB, about 10 s left", "1 of 2 archives, 2.0 KiB, 1 failed",
		"heroes-0002  Failed       JobFailed: the job failed", "Done",
	}, []string{"job_1", "c1", "Launch", "heroes-0001"})
}

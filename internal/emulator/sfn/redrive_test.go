package sfn

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// broken fails the calls that set names, and counts all of them by their payload.
type broken struct {
	mu    sync.Mutex
	fails map[string]bool // by function, or by payload
	calls map[string]int
	hold  func(ctx context.Context, payload string) error
}

func (b *broken) Invoke(ctx context.Context, function string, payload []byte) ([]byte, string, error) {
	b.mu.Lock()
	b.calls[function]++
	b.calls[string(payload)]++
	fails, hold := b.fails[function] || b.fails[string(payload)], b.hold
	b.mu.Unlock()
	if hold != nil {
		if err := hold(ctx, string(payload)); err != nil {
			return nil, "", err
		}
	}
	if fails {
		return []byte(`{"errorType":"Broken","errorMessage":"no"}`), "Unhandled", nil
	}
	return payload, "", nil
}

func (b *broken) set(hold func(context.Context, string) error, fails ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hold, b.fails = hold, map[string]bool{}
	for _, f := range fails {
		b.fails[f] = true
	}
}

func (b *broken) count(what string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[what]
}

func newBroken(fails ...string) *broken {
	b := &broken{calls: map[string]int{}}
	b.set(nil, fails...)
	return b
}

func kinds(t *testing.T, s *Service, arn string) string {
	t.Helper()
	events, _, err := s.History(arn, false, 1000, "")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, e := range events {
		if e.ID != int64(i+1) {
			t.Errorf("event %d has ID %d", i+1, e.ID)
		}
		all = append(all, string(e.Type))
	}
	return strings.Join(all, " ")
}

// TestRedriveByTheSDK redrives a failed execution with AWS's own client: the step that failed runs again, and no other.
func TestRedriveByTheSDK(t *testing.T) {
	t.Parallel()
	b, dir := newBroken("second"), t.TempDir()
	s, client := serve(t, testConfig(dir, b))
	arn := wait(t, s, start(t, s, "l", "e", `{"a":1}`).ARN).ARN
	describe := func() *sfn.DescribeExecutionOutput {
		t.Helper()
		d, err := client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := describe(); d.Status != types.ExecutionStatusFailed || d.RedriveStatus != types.ExecutionRedriveStatusRedrivable || *d.RedriveCount != 0 {
		t.Fatalf("got %+v", d)
	}
	redrive := func(token string) (*sfn.RedriveExecutionOutput, error) {
		return client.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &arn, ClientToken: aws.String(token)})
	}
	if _, err := redrive("once"); err != nil { // in vain
		t.Fatal(err)
	}
	wait(t, s, arn)
	reached, release := make(chan struct{}), make(chan struct{})
	b.set(func(context.Context, string) error { close(reached); <-release; return nil })
	first, err := redrive("twice")
	if err != nil {
		t.Fatal(err)
	}
	<-reached
	if again, err := redrive("twice"); err != nil || !again.RedriveDate.Equal(*first.RedriveDate) {
		t.Errorf("a repeat: %+v, %v", again, err)
	}
	_, err = redrive("another")
	wantCode(t, err, "ExecutionNotRedrivable")
	if d := describe(); d.Status != types.ExecutionStatusRunning || d.StopDate != nil || *d.RedriveCount != 2 || !d.RedriveDate.Equal(*first.RedriveDate) {
		t.Errorf("while it runs: %+v", d)
	}
	close(release)
	e := wait(t, s, arn)
	if e.Status != asl.StatusSucceeded || string(e.Output) != `{"a":1}` || b.count("first") != 1 || b.count("second") != 3 {
		t.Errorf("got %+v, %v", e, b.calls)
	}
	_, err = redrive("again")
	wantCode(t, err, "ExecutionNotRedrivable")
	if got := kinds(t, s, arn); !strings.HasSuffix(got, "TaskFailed ExecutionFailed ExecutionRedriven TaskScheduled TaskStarted TaskFailed ExecutionFailed "+
		"ExecutionRedriven TaskScheduled TaskStarted TaskSucceeded TaskStateExited ExecutionSucceeded") {
		t.Errorf("got %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = newService(t, testConfig(dir, b))
	if again, err := s.Describe(arn); err != nil || again.RedriveCount != 2 || !again.RedriveDate.Equal(*first.RedriveDate) {
		t.Errorf("after a restart: %+v, %v", again, err)
	}
}

func TestRedriveAfterFourteenDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBroken("second")
		c := testConfig(t.TempDir(), b)
		c.Clock = nil
		s := newService(t, c)
		arn := wait(t, s, start(t, s, "l", "e", `{}`).ARN).ARN
		time.Sleep(14 * 24 * time.Hour)
		if _, err := s.Redrive(arn, ""); err != nil {
			t.Fatal(err)
		}
		wait(t, s, arn)
		time.Sleep(14*24*time.Hour + time.Second)
		_, err := s.Redrive(arn, "")
		wantCode(t, err, "ExecutionNotRedrivable")
		if e, _ := s.Describe(arn); e.RedriveStatus != "NOT_REDRIVABLE" || !strings.Contains(e.RedriveStatusReason, "14 days") {
			t.Errorf("got %+v", e)
		}
	})
}

// TestRedriveOfAStoppedExecution begins the Wait, and the time limit, again.
func TestRedriveOfAStoppedExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t.TempDir(), newBroken())
		c.Clock = nil
		c.Machines[1].Definition = []byte(strings.Replace(waitDefinition, `{`, `{"TimeoutSeconds":5000,`, 1))
		s := newService(t, c)
		arn := start(t, s, "w", "e", `{}`).ARN
		time.Sleep(3000 * time.Second)
		if _, err := s.Stop(arn, "E", ""); err != nil {
			t.Fatal(err)
		}
		at, err := s.Redrive(arn, "")
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if e, err := s.Wait(ctx, arn); err != nil || e.Status != asl.StatusSucceeded || e.StopDate.Sub(at) != time.Hour {
			t.Errorf("got %+v, %v", e, err)
		}
	})
}

// TestRedriveOfAMapRun redrives an execution whose Map Run failed: the children that failed go on, those that were never
// started start, and those that succeeded are left alone.
func TestRedriveOfAMapRun(t *testing.T) {
	t.Parallel()
	b := newBroken("1", "3")
	objects := newMemory(map[string]string{"b/list.json": items(6)})
	s, client := serve(t, mapConfig(t.TempDir(), mapDefinition(`"MaxConcurrency":1,"ToleratedFailurePercentage":20,`), objects, b))
	arn := wait(t, s, start(t, s, "m", "e", `{}`).ARN).ARN
	runs, _ := s.MapRuns(arn)
	if runs[0].Executions != (Counts{Pending: 2, Succeeded: 2, Failed: 2, Total: 6, Written: 6}) {
		t.Fatalf("got %+v", runs[0])
	}
	children, _, _ := s.List(runs[0].ARN, asl.StatusFailed, 0, "")
	_, err := client.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &children[0].ARN})
	wantCode(t, err, "ExecutionNotRedrivable")
	if d, _ := s.Describe(children[0].ARN); d.RedriveStatus != "REDRIVABLE_BY_MAP_RUN" {
		t.Errorf("got %+v", d)
	}
	reached, release := make(chan struct{}, 6), make(chan struct{})
	b.set(func(context.Context, string) error { reached <- struct{}{}; <-release; return nil })
	if _, err := client.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &arn}); err != nil {
		t.Fatal(err)
	}
	<-reached
	d, err := client.DescribeMapRun(t.Context(), &sfn.DescribeMapRunInput{MapRunArn: &runs[0].ARN})
	if err != nil || d.Status != types.MapRunStatusRunning || *d.RedriveCount != 1 || d.RedriveDate == nil || d.ExecutionCounts.Running != 1 ||
		*d.ExecutionCounts.PendingRedrive != 1 || d.ExecutionCounts.Pending != 2 {
		t.Errorf("got %+v %+v, %v", d, d.ExecutionCounts, err)
	}
	close(release)
	if e := wait(t, s, arn); e.Status != asl.StatusSucceeded {
		t.Errorf("got %+v", e)
	}
	for payload, want := range map[string]int{"0": 1, "1": 2, "2": 1, "3": 2, "4": 1, "5": 1} {
		if got := b.count(payload); got != want {
			t.Errorf("%s ran %d times, want %d", payload, got, want)
		}
	}
	if e, _ := s.Describe(children[0].ARN); e.RedriveCount != 1 || e.Status != asl.StatusSucceeded {
		t.Errorf("got %+v", e)
	}
	if got := kinds(t, s, arn); got != "ExecutionStarted MapStateEntered MapStateStarted MapRunStarted MapRunFailed MapStateFailed ExecutionFailed "+
		"ExecutionRedriven MapRunRedriven MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded" {
		t.Errorf("got %s", got)
	}
	if runs, _ := s.MapRuns(arn); len(runs) != 1 {
		t.Errorf("%d Map Runs", len(runs))
	}
}

// TestKillInARedrive ends the service while a redriven Map Run is under way: it goes on, and nothing is redriven twice.
func TestKillInARedrive(t *testing.T) {
	t.Parallel()
	b, dir := newBroken("0", "1"), t.TempDir()
	objects := newMemory(map[string]string{"b/list.json": items(3)})
	definition := mapDefinition(`"MaxConcurrency":1,"ToleratedFailurePercentage":50,`)
	s, err := New(mapConfig(dir, definition, objects, b))
	if err != nil {
		t.Fatal(err)
	}
	arn := wait(t, s, start(t, s, "m", "e", `{}`).ARN).ARN
	reached := make(chan struct{}, 1)
	b.set(func(ctx context.Context, payload string) error {
		if payload != "1" {
			return nil
		}
		reached <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}, "0")
	if _, err := s.Redrive(arn, ""); err != nil {
		t.Fatal(err)
	}
	<-reached
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b.set(nil)
	s = newService(t, mapConfig(dir, definition, objects, b))
	e := wait(t, s, arn)
	if e.Status != asl.StatusSucceeded || b.count("0") != 2 || b.count("1") != 3 || b.count("2") != 1 {
		t.Errorf("got %+v, %v", e, b.calls)
	}
	if runs, _ := s.MapRuns(arn); len(runs) != 1 || runs[0].RedriveCount != 1 || runs[0].Executions != (Counts{Succeeded: 2, Failed: 1, Total: 3, Written: 3}) {
		t.Errorf("got %+v", runs)
	}
}

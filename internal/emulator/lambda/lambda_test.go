package lambda_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

func TestInvokePassesEventAndContext(t *testing.T) {
	t.Parallel()
	s, l := newService(t, nil)
	before := time.Now()
	r := invoke(t, s, event{Op: "echo", Value: "a ☃ b"})
	if r.Value != "a ☃ b" {
		t.Errorf("value %q", r.Value)
	}
	if r.ARN != "arn:aws:lambda:us-east-1:000000000000:function:f" || r.ARN != s.ARN("f") {
		t.Errorf("ARN %q", r.ARN)
	}
	if len(r.RequestID) != 36 || !strings.HasPrefix(r.TraceID, "Root=1-") {
		t.Errorf("request ID %q, trace ID %q", r.RequestID, r.TraceID)
	}
	earliest, latest := before.Add(time.Minute-time.Millisecond), time.Now().Add(time.Minute)
	if r.Deadline.Before(earliest) || r.Deadline.After(latest) {
		t.Errorf("deadline %v not a minute after the start %v", r.Deadline, before)
	}
	for _, want := range []string{"START RequestId: " + r.RequestID + " Version: $LATEST", "END RequestId: " + r.RequestID,
		"REPORT RequestId: " + r.RequestID, "Memory Size: 128 MB", "Init Duration: "} {
		if !strings.Contains(l.text(), want) {
			t.Errorf("the log lacks %q:\n%s", want, l.text())
		}
	}
}

func TestWarmProcessIsUsedAgain(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	first := invoke(t, s, event{Op: "echo"})
	second := invoke(t, s, event{Op: "echo"})
	if first.PID != second.PID || second.Invocations != 2 {
		t.Errorf("first %+v, second %+v: want one process", first, second)
	}
	if first.RequestID == second.RequestID {
		t.Error("two invocations with one request ID")
	}
	if got := s.Processes("f"); !slices.Equal(got, []int{first.PID}) {
		t.Errorf("processes %v, want %d", got, first.PID)
	}
}

func TestProvisionedProcessServesTheNextInvocation(t *testing.T) {
	t.Parallel()
	exited := make(chan *os.ProcessState, 1)
	s, l := newService(t, func(o *lambda.Options) { o.Exited = func(state *os.ProcessState) { exited <- state } })
	took, err := s.Provision(t.Context(), "f")
	if err != nil || took <= 0 {
		t.Fatalf("%v, %v", took, err)
	}
	pids := s.Processes("f")
	if r := invoke(t, s, event{Op: "echo"}); !slices.Equal(pids, []int{r.PID}) || strings.Contains(l.text(), "Init Duration") {
		t.Errorf("processes %v, then %+v\n%s", pids, r, l.text())
	}
	_ = s.Close()
	if state := <-exited; state.Pid() != pids[0] || state.UserTime()+state.SystemTime() <= 0 {
		t.Errorf("ended: %v", state)
	}
}

func TestProvisionFails(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, func(o *lambda.Options) { o.Functions[0].Env[role] = "exits in init" })
	if _, err := s.Provision(t.Context(), "f"); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Provision(t.Context(), "g"); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("got %v", err)
	}
	if left := s.Processes("f"); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func TestProcessSeesOnlyItsOwnEnvironment(t *testing.T) {
	t.Setenv("AWS_PROFILE", "the-persons-own")
	t.Setenv("SCENARIO_API_SECRET", "the-persons-own")
	s, _ := newService(t, func(o *lambda.Options) {
		o.Functions[0].MemoryMB = 512
		o.Functions[0].Env["BUCKET"] = "archive"
		o.Functions[0].Env["TZ"] = "Europe/Oslo"
	})
	r := invoke(t, s, event{Op: "environment"})
	all := "\n" + strings.Join(r.Environment, "\n") + "\n"
	for _, want := range []string{
		"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"_HANDLER=bootstrap", "BUCKET=archive", "TZ=Europe/Oslo",
	} {
		if !strings.Contains(all, "\n"+want+"\n") {
			t.Errorf("the environment lacks %s", want)
		}
	}
	for _, prefix := range []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:", "LAMBDA_TASK_ROOT=" + r.Directory + "\n",
		"AWS_LAMBDA_LOG_STREAM_NAME=2"} {
		if !strings.Contains(all, "\n"+prefix) {
			t.Errorf("the environment lacks %q", prefix)
		}
	}
	if strings.Contains(all, "the-persons-own") || strings.Contains(all, "\nHOME=") {
		t.Errorf("something of this process's environment is passed on:%s", all)
	}
}

func TestFunctionErrorsKeepTheirType(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	first := invoke(t, s, event{Op: "echo"})
	if f := invokeFailing(t, s, event{Op: "fail", Value: "no such asset"}); f != (functionFailure{"BadRequest", "no such asset"}) {
		t.Errorf("got %+v", f)
	}
	if after := invoke(t, s, event{Op: "echo"}); after.PID != first.PID {
		t.Error("an error that the function returns must not cost its process")
	}
}

func TestPanicCostsTheProcess(t *testing.T) {
	t.Parallel()
	s, l := newService(t, nil)
	first := invoke(t, s, event{Op: "echo"})
	if f := invokeFailing(t, s, event{Op: "panic", Value: "at the disco"}); f != (functionFailure{"string", "at the disco"}) {
		t.Errorf("got %+v", f)
	}
	after := invoke(t, s, event{Op: "echo"})
	if after.PID == first.PID || after.Invocations != 1 {
		t.Errorf("after a panic: %+v, before: %+v; want a fresh process", after, first)
	}
	if !strings.Contains(l.text(), "at the disco") {
		t.Error("the panic is not in the log")
	}
}

func TestProcessThatEndsInMidInvocation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		code int
		want string
	}{
		{"with a status", 7, "Runtime exited with error: exit status 7"},
		{"without one", 0, "Runtime exited without providing a reason"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, _ := newService(t, nil)
			f := invokeFailing(t, s, event{Op: "exit", Size: test.code})
			if f.Type != "Runtime.ExitError" || !strings.HasPrefix(f.Message, "RequestId: ") || !strings.HasSuffix(f.Message, " Error: "+test.want) {
				t.Errorf("got %+v", f)
			}
			if r := invoke(t, s, event{Op: "echo"}); r.Invocations != 1 {
				t.Errorf("want a fresh process, got %+v", r)
			}
		})
	}
}

func TestKilledInMidFlight(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	m := newMeeting(t)
	done := goInvoke(t.Context(), s, event{Op: "wait", Address: m.address()})
	conn := m.await(t, done)
	defer conn.Close()
	if err := syscall.Kill(s.Processes("f")[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f := (<-done).failure(t)
	if f.Type != "Runtime.ExitError" || !strings.HasSuffix(f.Message, "Error: Runtime exited with error: signal: killed") {
		t.Errorf("got %+v", f)
	}
	if r := invoke(t, s, event{Op: "echo"}); r.Invocations != 1 {
		t.Errorf("want a fresh process, got %+v", r)
	}
}

func TestTimeoutKills(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, func(o *lambda.Options) { o.Functions[0].Timeout = time.Second })
	m := newMeeting(t)
	done := goInvoke(t.Context(), s, event{Op: "hang", Address: m.address()})
	conn := m.await(t, done)
	defer conn.Close()
	pid := s.Processes("f")[0]
	f := (<-done).failure(t)
	if f.Type != "Sandbox.Timedout" || !strings.HasSuffix(f.Message, " Error: Task timed out after 1.00 seconds") || !strings.HasPrefix(f.Message, "RequestId: ") {
		t.Errorf("got %+v", f)
	}
	if alive(pid) && !zombie(pid) {
		t.Error("the process lives on")
	}
	if r := invoke(t, s, event{Op: "echo"}); r.PID == pid {
		t.Error("the killed process answers")
	}
}

func TestWarmProcessThatDiedIsReplaced(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	for range 3 {
		first := invoke(t, s, event{Op: "echo"})
		s.KillFunction("f")
		if r := invoke(t, s, event{Op: "echo"}); r.PID == first.PID || r.Invocations != 1 {
			t.Errorf("want a fresh process, got %+v after %+v", r, first)
		}
	}
}

func TestConcurrentInvocations(t *testing.T) {
	t.Parallel()
	const limit = 3
	s, _ := newService(t, func(o *lambda.Options) { o.Functions[0].Concurrency = limit; o.QueueTime = time.Minute })
	m := newMeeting(t)
	var results []<-chan outcome
	for range 2 * limit {
		results = append(results, goInvoke(t.Context(), s, event{Op: "wait", Address: m.address()}))
	}
	var conns []net.Conn
	for range limit {
		conns = append(conns, m.await(t, nil))
	}
	if n := len(s.Processes("f")); n != limit {
		t.Errorf("%d processes for %d waiting invocations, want %d", n, 2*limit, limit)
	}
	for range limit { // each that leaves lets one in
		_ = conns[0].Close()
		conns = append(conns[1:], m.await(t, nil))
	}
	for _, c := range conns {
		_ = c.Close()
	}
	pids := map[int]bool{}
	for _, result := range results {
		pids[(<-result).reply(t).PID] = true
	}
	if len(pids) != limit {
		t.Errorf("%d processes served, want %d", len(pids), limit)
	}
}

func TestBusyFunctionIsThrottled(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, func(o *lambda.Options) { o.Functions[0].Concurrency = 1; o.QueueTime = time.Millisecond })
	m := newMeeting(t)
	done := goInvoke(t.Context(), s, event{Op: "wait", Address: m.address()})
	conn := m.await(t, done)
	_, _, err := s.Invoke(t.Context(), "f", nil)
	var refused *lambda.Error
	if !errors.As(err, &refused) || refused.Code != "TooManyRequestsException" {
		t.Errorf("got %v", err)
	}
	_ = conn.Close()
	(<-done).reply(t)
	invoke(t, s, event{Op: "echo"}) // the slot is free again
}

func TestCallerThatLeavesDoesNotEndTheFunction(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, func(o *lambda.Options) { o.Functions[0].Concurrency = 1; o.QueueTime = time.Minute })
	m := newMeeting(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := goInvoke(ctx, s, event{Op: "wait", Address: m.address()})
	conn := m.await(t, left)
	cancel()
	if err := (<-left).err; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	pid := s.Processes("f")[0]
	_ = conn.Close() // only now may the function end
	if r := invoke(t, s, event{Op: "echo"}); r.PID != pid || r.Invocations != 2 {
		t.Errorf("want the second invocation of process %d, got %+v", pid, r)
	}
}

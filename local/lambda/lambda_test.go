package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/local/lambda"
)

// logs keeps what a service logs.
type logs struct {
	mu    sync.Mutex
	lines []lambda.Line
}

func (l *logs) add(line lambda.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.lines {
		b.WriteString(line.Text + "\n")
	}
	return b.String()
}

// newService runs the test binary as the function "f".
func newService(t *testing.T, change func(*lambda.Options)) (*lambda.Service, *logs) {
	t.Helper()
	l := &logs{}
	o := lambda.Options{
		Functions: []lambda.Function{{
			Name: "f", Binary: os.Args[0], Env: map[string]string{role: "function"}, Timeout: time.Minute,
		}},
		TempDir: t.TempDir(),
		Log:     l.add,
	}
	if change != nil {
		change(&o)
	}
	s, err := lambda.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, l
}

func payload(e event) []byte {
	b, _ := json.Marshal(e)
	return b
}

// invoke expects success and returns the function's reply.
func invoke(t *testing.T, s *lambda.Service, e event) reply {
	t.Helper()
	return (<-goInvoke(t.Context(), s, e)).reply(t)
}

type functionFailure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// invokeFailing expects a function error and returns it.
func invokeFailing(t *testing.T, s *lambda.Service, e event) functionFailure {
	t.Helper()
	return (<-goInvoke(t.Context(), s, e)).failure(t)
}

func failureOf(t *testing.T, result []byte, functionError string, err error) functionFailure {
	t.Helper()
	if err != nil || functionError != "Unhandled" {
		t.Fatalf("want a function error, got %q %v: %s", functionError, err, result)
	}
	var f functionFailure
	if err := json.Unmarshal(result, &f); err != nil {
		t.Fatalf("%v: %s", err, result)
	}
	return f
}

// meeting lets a test know that functions have got to a point, and hold them there.
type meeting struct {
	listener net.Listener
	arrived  chan net.Conn
}

func newMeeting(t *testing.T) *meeting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &meeting{l, make(chan net.Conn)}
	done := make(chan struct{})
	t.Cleanup(func() { close(done); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case m.arrived <- c:
			case <-done:
				_ = c.Close()
			}
		}
	}()
	return m
}

func (m *meeting) address() string { return m.listener.Addr().String() }

// outcome is what an invocation on another goroutine has come to.
type outcome struct {
	result        []byte
	functionError string
	err           error
}

func goInvoke(ctx context.Context, s *lambda.Service, e event) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, functionError, err := s.Invoke(ctx, "f", payload(e))
		done <- outcome{result, functionError, err}
	}()
	return done
}

func (o outcome) failure(t *testing.T) functionFailure {
	t.Helper()
	return failureOf(t, o.result, o.functionError, o.err)
}

func (o outcome) reply(t *testing.T) reply {
	t.Helper()
	var r reply
	if err := json.Unmarshal(o.result, &r); err != nil || o.err != nil || o.functionError != "" {
		t.Fatalf("%v %v %q: %s", o.err, err, o.functionError, o.result)
	}
	return r
}

// await returns when an invocation has got to the meeting, and fails the test when it has ended without.
func (m *meeting) await(t *testing.T, done <-chan outcome) net.Conn {
	t.Helper()
	select {
	case c := <-m.arrived:
		return c
	case o := <-done:
		t.Fatalf("the invocation ended too soon: %v %q: %s", o.err, o.functionError, o.result)
		return nil
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// awaitGone returns when the process has ended; a test that waits for ever is ended by its own time limit.
func awaitGone(pid int) {
	for alive(pid) && !zombie(pid) {
		time.Sleep(5 * time.Millisecond)
	}
}

// zombie: in a container nobody may reap orphans; they are dead all the same.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

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
	if !errors.As(err, &refused) || refused.ErrorCode() != "TooManyRequestsException" || refused.Status != 429 {
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

func TestInitFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		role string
		want functionFailure // the message's end
		log  string
	}{
		{"exits in init", functionFailure{"Runtime.ExitError", "Error: Runtime exited with error: exit status 3"}, "cannot find my configuration"},
		{"reports an init error", functionFailure{"ConfigInvalid", "BUCKET is not set"}, ""},
	} {
		t.Run(test.role, func(t *testing.T) {
			t.Parallel()
			s, l := newService(t, func(o *lambda.Options) { o.Functions[0].Env[role] = test.role })
			for range 2 { // the next invocation tries again
				f := invokeFailing(t, s, event{Op: "echo"})
				if f.Type != test.want.Type || !strings.HasSuffix(f.Message, test.want.Message) {
					t.Errorf("got %+v", f)
				}
			}
			if !strings.Contains(l.text(), test.log) {
				t.Errorf("the log lacks %q:\n%s", test.log, l.text())
			}
			if left := s.Processes("f"); len(left) > 0 {
				t.Errorf("processes left: %v", left)
			}
		})
	}
}

func TestBinaryThatCannotRun(t *testing.T) {
	t.Parallel()
	broken := t.TempDir() + "/broken"
	if err := os.WriteFile(broken, []byte("\x7fELF but no more"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, _ := newService(t, func(o *lambda.Options) { o.Functions[0].Binary = broken })
	if f := invokeFailing(t, s, event{}); f.Type != "Runtime.InvalidEntrypoint" || !strings.Contains(f.Message, "exec format error") {
		t.Errorf("got %+v", f)
	}
}

func TestPayloadLimits(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	frame := len(payload(event{Op: "echo", Value: "x"})) - 1
	fits := event{Op: "echo", Value: strings.Repeat("v", lambda.MaxRequest-frame)}
	result, functionError, err := s.Invoke(t.Context(), "f", payload(fits))
	// It goes in; the reply holds a little more than it, and does not come out.
	if f := failureOf(t, result, functionError, err); f.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %+v", f)
	}
	fits.Value += "v"
	_, _, err = s.Invoke(t.Context(), "f", payload(fits))
	var refused *lambda.Error
	if !errors.As(err, &refused) || refused.Code != "RequestTooLargeException" || refused.Status != 413 {
		t.Errorf("got %v", err)
	}
	result, functionError, err = s.Invoke(t.Context(), "f", payload(event{Op: "big", Size: lambda.MaxResponse - 2}))
	if err != nil || functionError != "" || len(result) != lambda.MaxResponse {
		t.Errorf("largest answer: %v %q, %d bytes", err, functionError, len(result))
	}
	f := invokeFailing(t, s, event{Op: "big", Size: lambda.MaxResponse - 1})
	if f.Type != "Function.ResponseSizeTooLarge" || !strings.Contains(f.Message, "6291557 bytes") {
		t.Errorf("got %+v", f)
	}
	invoke(t, s, event{Op: "echo"})
}

func TestStreamThatBreaksIsAnError(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	if f := invokeFailing(t, s, event{Op: "stream that breaks"}); !strings.Contains(f.Message, "the stream broke") {
		t.Errorf("got %+v", f)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	for _, test := range []struct{ name, function, payload, code string }{
		{"unknown function", "g", "{}", "ResourceNotFoundException"},
		{"unknown function by ARN", "arn:aws:lambda:us-east-1:000000000000:function:g", "{}", "ResourceNotFoundException"},
		{"unknown version", "f:7", "{}", "ResourceNotFoundException"},
		{"not JSON", "f", "{", "InvalidRequestContentException"},
		{"two documents", "f", "{} {}", "InvalidRequestContentException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := s.Invoke(t.Context(), test.function, []byte(test.payload))
			var refused *lambda.Error
			if !errors.As(err, &refused) || refused.Code != test.code || !strings.HasPrefix(err.Error(), test.code+": ") {
				t.Errorf("got %v", err)
			}
		})
	}
	if left := s.Processes("f"); len(left) > 0 {
		t.Errorf("a refused request started a process: %v", left)
	}
}

func TestFunctionIsFoundByEachOfItsNames(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	for _, name := range []string{"f", "f:$LATEST", "000000000000:function:f", s.ARN("f"), s.ARN("f") + ":$LATEST"} {
		if _, functionError, err := s.Invoke(t.Context(), name, nil); err != nil || functionError != "" {
			t.Errorf("%s: %v %s", name, err, functionError)
		}
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	s, l := newService(t, nil)
	long := strings.Repeat("l", 300_000)
	invoke(t, s, event{Op: "print", Value: "one\ntwo\r\n\n" + long + "\nno end, "})
	s.KillFunction("f")
	_ = s.Close() // flushes
	text := l.text()
	for _, want := range []string{"\none\ntwo\n\n", "\n" + long[:256*1024] + "\n" + long[256*1024:] + "\n", "\nno end, on stdout\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %.40q", want)
		}
	}
	for _, line := range l.lines {
		if line.Function != "f" || line.Stream == "" || line.Time.IsZero() {
			t.Fatalf("a line without its origin: %+v", line)
		}
	}
}

func TestIdleProcessIsEnded(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, func(o *lambda.Options) { o.IdleTime = time.Millisecond })
	awaitGone(invoke(t, s, event{Op: "echo"}).PID)
}

func TestTemporaryFilesGoWithTheProcess(t *testing.T) {
	t.Parallel()
	var dir string
	s, _ := newService(t, func(o *lambda.Options) { dir = o.TempDir })
	if own := invoke(t, s, event{Op: "temp file"}).Value; !strings.HasPrefix(own, dir+"/lambda-f-") {
		t.Errorf("temporary directory %q not in %q", own, dir)
	}
	_ = s.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	s, _ := newService(t, nil)
	child := invoke(t, s, event{Op: "leave a child"}).PID
	m := newMeeting(t)
	done := goInvoke(t.Context(), s, event{Op: "wait", Address: m.address()})
	conn := m.await(t, done)
	defer conn.Close()
	pids := s.Processes("f")
	_ = s.Close()
	if err := (<-done).err; !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("an invocation under way: %v", err)
	}
	if _, _, err := s.Invoke(t.Context(), "f", nil); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("an invocation after: %v", err)
	}
	for _, pid := range append(pids, child) {
		awaitGone(pid)
	}
	_ = s.Close() // twice does no harm
}

func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	plain := t.TempDir() + "/plain"
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		functions []lambda.Function
		want      string
	}{
		{"no name", []lambda.Function{{Binary: os.Args[0]}}, "without a name"},
		{"twice", []lambda.Function{{Name: "f", Binary: os.Args[0]}, {Name: "f", Binary: os.Args[0]}}, "twice"},
		{"no binary", []lambda.Function{{Name: "f", Binary: plain + "-missing"}}, "no such file"},
		{"not executable", []lambda.Function{{Name: "f", Binary: plain}}, "not an executable file"},
	} {
		if _, err := lambda.New(lambda.Options{Functions: test.functions}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

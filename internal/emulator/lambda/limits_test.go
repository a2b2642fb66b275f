package lambda_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

func TestInitFailures(t *testing.T) {
	t.Parallel()
	s, l := newService(t, func(o *lambda.Options) { o.Functions[0].Env[role] = "exits in init" })
	for range 2 { // the next invocation tries again
		f := invokeFailing(t, s, event{Op: "echo"})
		if f.Type != "Runtime.ExitError" || !strings.HasSuffix(f.Message, "Error: Runtime exited with error: exit status 3") {
			t.Errorf("got %+v", f)
		}
	}
	if !strings.Contains(l.text(), "cannot find my configuration") {
		t.Errorf("the log: %s", l.text())
	}
	if left := s.Processes("f"); len(left) > 0 {
		t.Errorf("processes left: %v", left)
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
	if !errors.As(err, &refused) || refused.Code != "RequestTooLargeException" {
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
	for _, name := range []string{"f", s.ARN("f")} {
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
	for binary, want := range map[string]string{plain + "-missing": "no such file", plain: "not an executable file"} {
		_, err := lambda.New(lambda.Options{Functions: []lambda.Function{{Name: "f", Binary: binary}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", binary, err)
		}
	}
}

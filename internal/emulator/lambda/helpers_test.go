package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

// logs keeps what a service logs.
type logs struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (l *logs) add(function, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if function != "f" {
		l.lines.WriteString("of " + function + ": ")
	}
	l.lines.WriteString(text + "\n")
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
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

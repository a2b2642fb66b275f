// Package lambdatest runs a function in tests as Lambda does: as a process of its own that asks a Runtime API for
// events. The process is the test binary itself, so nothing needs to be built.
package lambdatest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serveVariable makes the test binary the function.
const serveVariable = "LAMBDATEST_SERVE"

// Main is for a package's TestMain. serve is the function's main: it is run in the processes that Start starts.
func Main(m *testing.M, serve func()) {
	if os.Getenv(serveVariable) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// Function is a running function.
type Function struct {
	events  chan invocation
	answers chan Answer
	exited  chan struct{}
	kill    context.CancelFunc
	stderr  string // a file: what the function wrote is there before its answer is
}

type invocation struct {
	event    []byte
	deadline time.Time
}

// Answer is what a function posted for an event.
type Answer struct {
	// Failed says that it posted an error.
	Failed bool
	// Body is the result, or the error as the state machine gets it: {"errorMessage","errorType"}.
	Body []byte
}

// ErrorType is the name by which the state machine's Retry and Catch know the error; "" when there was none.
func (a Answer) ErrorType() string {
	var e struct {
		ErrorType string `json:"errorType"`
	}
	if !a.Failed || json.Unmarshal(a.Body, &e) != nil {
		return ""
	}
	return e.ErrorType
}

// Start starts the function with nothing but env in its environment, and stops it when the test ends.
func Start(t *testing.T, env map[string]string) *Function {
	t.Helper()
	f := &Function{
		events: make(chan invocation), answers: make(chan Answer, 1),
		exited: make(chan struct{}), stderr: filepath.Join(t.TempDir(), "stderr"),
	}
	api := httptest.NewServer(f.runtimeAPI())
	ctx, cancel := context.WithCancel(context.Background())
	f.kill = cancel
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = []string{serveVariable + "=1", "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	stderr, err := os.Create(f.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(f.exited) }()
	t.Cleanup(func() { cancel(); <-f.exited; api.CloseClientConnections(); api.Close() })
	return f
}

// Invoke gives the function an event, any JSON value, and returns its answer. The function has a minute.
func (f *Function) Invoke(t *testing.T, event any) Answer {
	t.Helper()
	return f.InvokeUntil(t, event, time.Now().Add(time.Minute))
}

// TryInvoke is Invoke for a function that may be killed meanwhile: then ok is false.
func (f *Function) TryInvoke(event any) (a Answer, ok bool) {
	body, err := json.Marshal(event)
	if err != nil {
		return Answer{}, false
	}
	return f.invoke(invocation{body, time.Now().Add(time.Minute)})
}

// Kill ends the function's process at once, as SIGKILL does.
func (f *Function) Kill() {
	f.kill()
	<-f.exited
}

// InvokeUntil is Invoke with a deadline of its own.
func (f *Function) InvokeUntil(t *testing.T, event any, deadline time.Time) Answer {
	t.Helper()
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	a, ok := f.invoke(invocation{body, deadline})
	if !ok {
		t.Fatalf("the function exited without an answer:\n%s", f.Logs())
	}
	return a
}

func (f *Function) invoke(i invocation) (Answer, bool) {
	select {
	case f.events <- i:
	case <-f.exited:
		return Answer{}, false
	}
	select {
	case a := <-f.answers:
		return a, true
	case <-f.exited:
		return Answer{}, false
	}
}

// Logs is what the function has written to standard error so far.
func (f *Function) Logs() string {
	logs, err := os.ReadFile(f.stderr)
	if err != nil {
		return err.Error()
	}
	return string(logs)
}

func (f *Function) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case i := <-f.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:test")
			_, _ = w.Write(i.event)
		case <-r.Context().Done():
		}
	})
	answer := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			f.answers <- Answer{Failed: failed, Body: body}
			w.WriteHeader(http.StatusAccepted)
		}
	}
	mux.HandleFunc("POST "+base+"invocation/{id}/response", answer(false))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", answer(true))
	return mux
}

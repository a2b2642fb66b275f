// Package lambdatest runs a function in tests as Lambda does, by package lambda: as a process of its own that asks a
// Runtime API for events. The process is the test binary itself, so nothing needs to be built.
package lambdatest

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

const (
	// serveVariable makes the test binary the function.
	serveVariable = "LAMBDATEST_SERVE"
	name          = "test"
)

// Main is for a package's TestMain. serve is the function's main: it is run in the processes that Start starts.
func Main(m *testing.M, serve func()) {
	if os.Getenv(serveVariable) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// Function is a function that can be invoked.
type Function struct {
	service *lambda.Service

	mu    sync.Mutex
	lines []string
}

// Answer is the answer to an event.
type Answer struct {
	// Failed says that it is an error.
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

// Start makes a function that has env beside the variables of Lambda itself, and a minute for each event. It ends with
// the test. Its process is started for the first event.
func Start(t *testing.T, env map[string]string) *Function {
	t.Helper()
	return StartWithin(t, time.Minute, env)
}

// StartWithin is Start with another time limit for an event.
func StartWithin(t *testing.T, timeout time.Duration, env map[string]string) *Function {
	t.Helper()
	own := map[string]string{serveVariable: "1"}
	maps.Copy(own, env)
	f := &Function{}
	var err error
	f.service, err = lambda.New(lambda.Options{
		Functions: []lambda.Function{{Name: name, Binary: os.Args[0], Env: own, Timeout: timeout}},
		TempDir:   t.TempDir(), Log: f.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.service.Close() })
	return f
}

// Invoke gives the function an event, any JSON value, and returns its answer.
func (f *Function) Invoke(t *testing.T, event any) Answer {
	t.Helper()
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	result, functionError, err := f.service.Invoke(context.Background(), name, body)
	if err != nil {
		t.Fatalf("the function was not invoked: %v", err)
	}
	return Answer{Failed: functionError != "", Body: result}
}

// Kill ends the function's process at once, as SIGKILL does. The next event gets a fresh one.
func (f *Function) Kill() { f.service.KillFunction(name) }

// PID is the process that serves the function now.
func (f *Function) PID(t *testing.T) int {
	t.Helper()
	pids := f.service.Processes(name)
	if len(pids) != 1 {
		t.Fatalf("the function has the processes %v, not one", pids)
	}
	return pids[0]
}

// Logs is all that the function has written so far. It ends the function's process: what a living one has written may
// still be on its way.
func (f *Function) Logs() string {
	f.Kill()
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.lines, "\n") + "\n"
}

// log leaves out Lambda's own lines.
func (f *Function) log(_, text string) {
	for _, own := range []string{"START ", "END ", "REPORT "} {
		if strings.HasPrefix(text, own+"RequestId: ") {
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, text)
}

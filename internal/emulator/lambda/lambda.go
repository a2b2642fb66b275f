// Package lambda runs function binaries as AWS Lambda does: in processes that ask a Runtime API for their next
// invocation, one at a time each, kept warm, killed at their timeout, and replaced after a crash.
//
// The Runtime API is that of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, what Invoke answers that of
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
)

// Limits of the service, from https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
const (
	// MaxRequest is the largest payload of a synchronous invocation, in bytes.
	MaxRequest = 6 * 1024 * 1024
	// MaxResponse is the largest answer of a synchronous invocation, in bytes: 100 more, for the envelope.
	MaxResponse = MaxRequest + 100
	// initLimit is how long a process may take until it asks for its first invocation.
	initLimit = 10 * time.Second
)

// Function describes one function. Zero values mean the defaults given.
type Function struct {
	// Name is the function's name, as in its ARN.
	Name string
	// Binary is the path of the executable: a program built on aws-lambda-go, or any that speaks the Runtime API.
	Binary string
	// Env is added to the variables that Lambda itself sets. Nothing else of this process's environment is passed on.
	Env map[string]string
	// Timeout is how long one invocation may take; its process is killed then. Default 3 s, as on AWS.
	Timeout time.Duration
	// MemoryMB is what the function is said to have; it stands in its log, and is not enforced. Default 128.
	MemoryMB int
	// Concurrency is how many invocations may run at once. Default 10.
	Concurrency int
}

// Options says what a Service runs and where it logs. Zero values mean the defaults given.
type Options struct {
	Functions []Function
	// Log gets every line that a function writes, without its end, and Lambda's own START, END and REPORT lines. It is
	// called from many goroutines and must not block for long. Default: dropped.
	Log func(function, text string)
	// TempDir is where each process gets a directory of its own for temporary files, removed with it. Default: the
	// system's.
	TempDir string
	// QueueTime is how long an invocation waits for a free process when Concurrency are busy, before it is refused
	// with TooManyRequestsException. Default 10 s. (AWS refuses at once, but its limit is a thousand.)
	QueueTime time.Duration
	// IdleTime is how long an unused process is kept. Default 5 minutes.
	IdleTime time.Duration
	// Exited gets the state of each process that has ended: its status, and the CPU time it took. Default: dropped.
	Exited func(*os.ProcessState)
}

// ErrClosed is returned for an invocation that Close cut short or that came after it.
var ErrClosed = errors.New("lambda: closed")

// Error is a refusal by the service itself: the function was not run.
type Error struct {
	// Code is the API's name for it, such as TooManyRequestsException.
	Code string
	// Message says what was wrong.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// checkPayload refuses what AWS refuses. An empty payload is an empty object.
func checkPayload(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return []byte("{}"), nil
	}
	if len(payload) > MaxRequest {
		return nil, &Error{"RequestTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation (got %d)", MaxRequest, len(payload))}
	}
	var value json.RawMessage
	if err := json.Unmarshal(payload, &value); err != nil {
		return nil, &Error{"InvalidRequestContentException", "Could not parse request body into json: " + err.Error()}
	}
	return payload, nil
}

// Service holds functions and their processes. Its methods may be called from many goroutines.
type Service struct {
	options   Options
	functions map[string]*function
	life      context.Context // ends, because of ErrClosed, with Close
	end       context.CancelCauseFunc
	running   sync.WaitGroup // invocations, which may outlive their callers
}

// New checks the functions and returns a Service that runs them. No process is started before the first invocation.
func New(o Options) (*Service, error) {
	o.QueueTime = cmp.Or(o.QueueTime, 10*time.Second)
	o.IdleTime = cmp.Or(o.IdleTime, 5*time.Minute)
	s := &Service{options: o, functions: map[string]*function{}}
	s.life, s.end = context.WithCancelCause(context.Background())
	for _, f := range o.Functions {
		f.Timeout = cmp.Or(f.Timeout, 3*time.Second)
		f.MemoryMB = cmp.Or(f.MemoryMB, 128)
		f.Concurrency = cmp.Or(f.Concurrency, 10)
		if info, err := os.Stat(f.Binary); err != nil {
			return nil, fmt.Errorf("lambda: function %s: %w", f.Name, err)
		} else if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return nil, fmt.Errorf("lambda: function %s: %s is not an executable file", f.Name, f.Binary)
		}
		s.functions[f.Name] = newFunction(s, f)
	}
	return s, nil
}

// ARN returns the Amazon Resource Name of a function of this service.
func (s *Service) ARN(function string) string {
	return "arn:aws:lambda:" + emulator.Region + ":" + emulator.Account + ":function:" + function
}

// lookup finds a function by its name or ARN.
func (s *Service) lookup(reference string) (*function, error) {
	name := reference[strings.LastIndexByte(reference, ':')+1:]
	if f := s.functions[name]; f != nil && (reference == name || reference == s.ARN(name)) {
		return f, nil
	}
	return nil, &Error{"ResourceNotFoundException", "Function not found: " + reference}
}

// Invoke runs the function once, synchronously, and returns its answer. functionError is "Unhandled" when the function
// failed, and result then the JSON object with errorType and errorMessage. err is of type *Error when the service
// refuses the invocation, as AWS would; ErrClosed; or the context's. As on AWS, ending ctx ends the waiting only: the
// function runs on.
//
// function is a name or an ARN.
func (s *Service) Invoke(ctx context.Context, function string, payload []byte) (result []byte, functionError string, err error) {
	f, err := s.lookup(function)
	if err != nil {
		return nil, "", err
	}
	if payload, err = checkPayload(payload); err != nil {
		return nil, "", err
	}
	a := f.invoke(ctx, payload)
	return a.body, a.functionError, a.err
}

// Provision starts one more process of a function and keeps it for the next invocation. It returns how long that took,
// from before the process was made to its first request for an event.
func (s *Service) Provision(ctx context.Context, function string) (time.Duration, error) {
	f, err := s.lookup(function)
	if err != nil {
		return 0, err
	}
	return f.provision(ctx)
}

// KillFunction kills every process of a function, busy or not, and returns when they are gone. Invocations under way
// end as after a crash, and the next one gets a fresh process.
func (s *Service) KillFunction(name string) { s.functions[name].killAll() }

// Processes returns the process IDs of a function's processes, busy or warm.
func (s *Service) Processes(name string) (pids []int) {
	for _, e := range s.functions[name].environments() {
		pids = append(pids, e.cmd.Process.Pid)
	}
	return pids
}

// Close kills all processes and returns when none is left. Invocations under way return ErrClosed.
func (s *Service) Close() error {
	s.end(ErrClosed)
	for _, f := range s.functions {
		f.close()
	}
	s.running.Wait()
	return nil
}

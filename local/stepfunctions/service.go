// Package stepfunctions serves the part of the AWS Step Functions API that runs and shows executions, with the
// executor of package asl behind it and append-only files as its memory.
package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/scenario-archive/scenario-archive/local/asl"
)

// Invoker calls a Lambda function. functionError is Lambda's X-Amz-Function-Error: when it is not empty, result is the
// JSON of the function's error ({"errorType","errorMessage",…}). err is a failure of Lambda itself, as an [*asl.Error]
// with a Lambda.* name; any other error counts as Lambda.SdkClientException. function is what the definition names: a
// name or an ARN.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (result []byte, functionError string, err error)
}

// MachineConfig is a state machine to serve.
type MachineConfig struct {
	Name       string
	Definition []byte // as [LoadDefinition] gives it
}

// Config says what to serve. Zero values mean the documented defaults.
type Config struct {
	Machines []MachineConfig
	Invoker  Invoker     // calls the functions of lambda:invoke tasks
	Runners  asl.Runners // further resources, or instead of Invoker
	Dir      string      // where executions are kept
	Region   string      // default us-east-1
	Account  string      // default 000000000000
	Clock    asl.Clock   // default the real time
	Jitter   func() float64
	Logger   *slog.Logger // default: discards
}

// Execution is what DescribeExecution tells.
type Execution struct {
	ARN, Name, StateMachineARN string
	Status                     asl.Status
	StartDate, StopDate        time.Time // StopDate is zero while it runs
	Input, Output              json.RawMessage
	Error, Cause               string
}

// Update is a history event of one execution.
type Update struct {
	ExecutionARN string
	Event        asl.Event
}

// Service runs executions and answers the API. Use it as the http.Handler of a loopback listener.
type Service struct{}

// New loads the executions kept in c.Dir and resumes those that were running.
func New(c Config) (*Service, error) { return nil, errNotReady }

// LoadDefinition reads a definition file and replaces each ${Name} by its substitution. A ${Name} without a
// substitution is an error, and so is a substitution that the file does not use.
func LoadDefinition(path string, substitutions map[string]string) ([]byte, error) {
	return nil, errNotReady
}

// ServeHTTP answers the AWS JSON 1.0 protocol.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// MachineARN is the ARN of the machine of that name.
func (s *Service) MachineARN(name string) string { return "" }

// Start starts an execution. Without a name it gets a random one. Errors of the API are [*APIError].
func (s *Service) Start(machineARN, name string, input []byte) (Execution, error) {
	return Execution{}, errNotReady
}

// Describe tells how an execution stands.
func (s *Service) Describe(executionARN string) (Execution, error) { return Execution{}, errNotReady }

// Stop ends a running execution as ABORTED; stopping a finished one changes nothing. It returns when it stopped.
func (s *Service) Stop(executionARN, errorName, cause string) (time.Time, error) {
	return time.Time{}, errNotReady
}

// Wait returns the execution as soon as it has ended.
func (s *Service) Wait(ctx context.Context, executionARN string) (Execution, error) {
	return Execution{}, errNotReady
}

// Subscribe calls f with each event of every execution from now on, in order for each execution, until cancel is
// called. f is called from the executions' own goroutines: it must return fast.
func (s *Service) Subscribe(f func(Update)) (cancel func()) { return func() {} }

// Close interrupts what runs, so that the next New on the same directory resumes it, and closes the files.
func (s *Service) Close() error { return nil }

// APIError is an error of the Step Functions API.
type APIError struct {
	Code    string // ExecutionAlreadyExists, InvalidArn, …
	Message string
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

var errNotReady = errors.New("not ready")

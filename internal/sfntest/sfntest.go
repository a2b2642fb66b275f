// Package sfntest serves, in tests, the part of AWS Step Functions that starts and shows executions, with the rules
// that idempotency rests on (names, inputs, what is running and what has ended). It runs nothing: a test says what
// happens to an execution.
package sfntest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// MachineARN and BatchMachineARN are the state machines there are.
const (
	MachineARN      = "arn:aws:states:us-east-1:000000000000:stateMachine:archive"
	BatchMachineARN = "arn:aws:states:us-east-1:000000000000:stateMachine:batch"
)

func isMachine(arn string) bool { return arn == MachineARN || arn == BatchMachineARN }

// arn is the execution's.
func (e *execution) arn() string {
	return strings.Replace(e.machine, ":stateMachine:", ":execution:", 1) + ":" + e.name
}

// mapRunARN is that of the one Map Run that an execution can have.
func (e *execution) mapRunARN() string {
	return strings.Replace(e.machine, ":stateMachine:", ":mapRun:", 1) + "/Archives:" + e.name
}

// Server is the service. Its executions run until a test ends them.
type Server struct {
	URL string // where it is served

	mu         sync.Mutex
	executions []*execution // in the order of their start
	calls      map[string]int
	fault      func(operation string) *Fault
	now        time.Time
}

// Fault is an answer instead of the right one.
type Fault struct {
	Status int    // of HTTP
	Code   string // e.g. ThrottlingException; "" breaks the connection off
}

type execution struct {
	machine, name, input, status, output, errorName, cause string

	mapRun      map[string]int // the counts of its Map Run's children; nil when it has none
	start, stop time.Time
	events      []map[string]any
	hiddenFor   int // so many descriptions find nothing: eventual consistency
}

// New makes the service, to be served as an http.Handler.
func New() *Server {
	return &Server{calls: map[string]int{}, now: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)}
}

// Start starts the service; it ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := New()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Client is a client of the service that tries each call once.
func (s *Server) Client() *sfn.Client {
	return sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: &s.URL, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

// Break makes f decide, for each call, whether it goes wrong and how; nil is no fault.
func (s *Server) Break(f func(operation string) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Started is the number of executions that were made.
func (s *Server) Started() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.executions)
}

// Calls is how often an operation was called.
func (s *Server) Calls(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[operation]
}

// Inputs are the inputs of the executions, by name.
func (s *Server) Inputs() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	inputs := map[string]string{}
	for _, e := range s.executions {
		inputs[e.name] = e.input
	}
	return inputs
}

// Finish ends an execution: with SUCCEEDED detail is the output, with another status the error's name and cause.
func (s *Server) Finish(name, status string, detail ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(name)
	e.status, e.stop = status, s.tick()
	if status == "SUCCEEDED" {
		e.output = detail[0]
	} else if len(detail) == 2 {
		e.errorName, e.cause = detail[0], detail[1]
	}
}

// Hide lets the next n descriptions of an execution find nothing.
func (s *Server) Hide(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(name).hiddenFor = n
}

// Event adds an event to an execution's history. details is the name of its details' field and what they hold.
func (s *Server) Event(name, kind, detailsField string, details map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(name)
	event := map[string]any{"id": len(e.events) + 1, "previousEventId": len(e.events), "type": kind, "timestamp": seconds(s.tick())}
	if detailsField != "" {
		event[detailsField] = details
	}
	e.events = append(e.events, event)
}

// MapRun gives an execution a Map Run, whose children stand so: by pending, running, succeeded, failed, aborted, total.
func (s *Server) MapRun(name string, counts map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.find(name).mapRun = counts
}

// Enter and Exit add the events of a state.
func (s *Server) Enter(name, kind, state, input string) {
	s.Event(name, kind+"StateEntered", "stateEnteredEventDetails", map[string]any{"name": state, "input": input})
}

// Exit adds the event that a state was left with output.
func (s *Server) Exit(name, kind, state, output string) {
	s.Event(name, kind+"StateExited", "stateExitedEventDetails", map[string]any{"name": state, "output": output})
}

func (s *Server) tick() time.Time {
	s.now = s.now.Add(time.Second)
	return s.now
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// find is by name alone: a test gives each execution another.
func (s *Server) find(name string) *execution {
	return s.findBy(func(e *execution) bool { return e.name == name })
}

func (s *Server) findBy(is func(*execution) bool) *execution {
	if i := slices.IndexFunc(s.executions, is); i >= 0 {
		return s.executions[i]
	}
	return nil
}

// ServeHTTP answers the AWS JSON 1.0 protocol.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answerError(w, &Fault{http.StatusBadRequest, "SerializationException"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[operation]++
	if s.fault != nil {
		if f := s.fault(operation); f != nil {
			answerError(w, f)
			return
		}
	}
	out, fault := s.operate(operation, in)
	if fault != nil {
		answerError(w, fault)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out)
}

func answerError(w http.ResponseWriter, f *Fault) {
	if f.Code == "" {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(f.Status)
	_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.states#%s","message":"%s by the test"}`, f.Code, f.Code)
}

type request struct {
	StateMachineARN string `json:"stateMachineArn"`
	ExecutionARN    string `json:"executionArn"`
	MapRunARN       string `json:"mapRunArn"`
	Name            string `json:"name"`
	Input           string `json:"input"`
	Error           string `json:"error"`
	Cause           string `json:"cause"`
	StatusFilter    string `json:"statusFilter"`
	MaxResults      int    `json:"maxResults"`
	NextToken       string `json:"nextToken"`
	ReverseOrder    bool   `json:"reverseOrder"`
}

func bad(code string) *Fault { return &Fault{http.StatusBadRequest, code} }

func (s *Server) operate(operation string, in request) (any, *Fault) {
	switch operation {
	case "StartExecution":
		return s.start(in)
	case "ListExecutions":
		return s.list(in)
	case "DescribeMapRun":
		return s.describeMapRun(in)
	}
	e := s.findBy(func(e *execution) bool { return e.arn() == in.ExecutionARN })
	if e == nil {
		return nil, bad("ExecutionDoesNotExist")
	}
	switch operation {
	case "DescribeExecution":
		if e.hiddenFor > 0 {
			e.hiddenFor--
			return nil, bad("ExecutionDoesNotExist")
		}
		return e.description(), nil
	case "StopExecution":
		if e.status == "RUNNING" {
			e.status, e.stop, e.errorName, e.cause = "ABORTED", s.tick(), in.Error, in.Cause
		}
		return map[string]any{"stopDate": seconds(e.stop)}, nil
	case "GetExecutionHistory":
		return e.history(in)
	case "ListMapRuns":
		if e.mapRun == nil {
			return map[string]any{"mapRuns": []any{}}, nil
		}
		return map[string]any{"mapRuns": []any{map[string]any{"mapRunArn": e.mapRunARN(), "executionArn": e.arn(),
			"stateMachineArn": e.machine, "startDate": seconds(e.start)}}}, nil
	}
	return nil, bad("UnknownOperationException")
}

func (s *Server) describeMapRun(in request) (any, *Fault) {
	e := s.findBy(func(e *execution) bool { return e.mapRun != nil && e.mapRunARN() == in.MapRunARN })
	if e == nil {
		return nil, bad("ResourceNotFound")
	}
	return map[string]any{"mapRunArn": in.MapRunARN, "executionArn": e.arn(), "status": e.status, "startDate": seconds(e.start),
		"executionCounts": e.mapRun, "itemCounts": map[string]int{}}, nil
}

func (s *Server) start(in request) (any, *Fault) {
	if !isMachine(in.StateMachineARN) {
		return nil, bad("StateMachineDoesNotExist")
	}
	if in.Name == "" || len(in.Name) > 80 || strings.ContainsAny(in.Name, " <>{}[]?*\"#%\\^|~`$&,;:/\n\x00") {
		return nil, bad("InvalidName")
	}
	if !json.Valid([]byte(in.Input)) || len(in.Input) > 262144 {
		return nil, bad("InvalidExecutionInput")
	}
	e := s.findBy(func(e *execution) bool { return e.name == in.Name && e.machine == in.StateMachineARN })
	if e != nil && (e.status != "RUNNING" || e.input != in.Input) {
		return nil, bad("ExecutionAlreadyExists")
	}
	if e == nil {
		e = &execution{machine: in.StateMachineARN, name: in.Name, input: in.Input, status: "RUNNING", start: s.tick()}
		s.executions = append(s.executions, e)
	}
	return map[string]any{"executionArn": e.arn(), "startDate": seconds(e.start)}, nil
}

func (e *execution) description() map[string]any {
	d := map[string]any{"executionArn": e.arn(), "stateMachineArn": e.machine, "name": e.name,
		"status": e.status, "startDate": seconds(e.start), "input": e.input}
	if !e.stop.IsZero() {
		d["stopDate"] = seconds(e.stop)
	}
	for field, value := range map[string]string{"output": e.output, "error": e.errorName, "cause": e.cause} {
		if value != "" {
			d[field] = value
		}
	}
	return d
}

func (s *Server) list(in request) (any, *Fault) {
	var all []any
	for _, e := range slices.Backward(s.executions) {
		if e.machine == in.StateMachineARN && (in.StatusFilter == "" || in.StatusFilter == e.status) {
			d := e.description()
			delete(d, "input")
			delete(d, "output")
			all = append(all, d)
		}
	}
	return page("executions", all, in)
}

func (e *execution) history(in request) (any, *Fault) {
	var all []any
	for _, event := range e.events {
		all = append(all, event)
	}
	if in.ReverseOrder {
		slices.Reverse(all)
	}
	return page("events", all, in)
}

func page(field string, all []any, in request) (any, *Fault) {
	from := 0
	if in.NextToken != "" {
		if _, err := fmt.Sscanf(in.NextToken, "token-%d", &from); err != nil || from > len(all) {
			return nil, bad("InvalidToken")
		}
	}
	most := in.MaxResults
	if most == 0 {
		most = 100
	}
	to := min(from+most, len(all))
	out := map[string]any{field: append([]any{}, all[from:to]...)}
	if to < len(all) {
		out["nextToken"] = fmt.Sprintf("token-%d", to)
	}
	return out, nil
}

package statemachine_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// answer is what a function, or Lambda itself, answers to a call.
type answer struct {
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`  // of the function: {"errorType","errorMessage"}
	Status int             `json:"status"` // of Lambda, with Type as its error
	Type   string          `json:"type"`
}

// script is a Lambda endpoint that gives each execution the answers written down for it, in their order.
type script struct {
	*httptest.Server
	mu         sync.Mutex
	answers    map[string]map[string][]answer
	complaints map[string][]string
}

func newScript(t *testing.T) *script {
	t.Helper()
	s := &script{answers: map[string]map[string][]answer{}, complaints: map[string][]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.invoke))
	t.Cleanup(s.Close)
	return s
}

func (s *script) Expect(execution string, answers map[string][]answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[execution] = answers
}

// Left tells how many answers each function was never asked for.
func (s *script) Left(execution string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := map[string]int{}
	for function, answers := range s.answers[execution] {
		if len(answers) > 0 {
			left[function] = len(answers)
		}
	}
	return left
}

func (s *script) Complaints(execution string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.complaints[execution]
}

// invoke is Lambda's Invoke: POST /2015-03-31/functions/{name or ARN}/invocations.
func (s *script) invoke(w http.ResponseWriter, r *http.Request) {
	path, _ := url.PathUnescape(r.URL.EscapedPath())
	name := strings.TrimSuffix(strings.TrimPrefix(path, "/2015-03-31/functions/"), "/invocations")
	function := name[strings.LastIndexByte(name, ':')+1:]
	body, _ := io.ReadAll(r.Body)
	var event event
	_ = json.Unmarshal(body, &event)
	problem, ours := batchProblem(function, body)
	if !ours {
		problem = event.problem(function)
	}
	a := s.next(event.Execution.Name, function, problem)
	w.Header().Set("X-Amzn-RequestId", "1")
	switch {
	case a.Status != 0:
		w.Header().Set("X-Amzn-ErrorType", a.Type)
		w.WriteHeader(a.Status)
		fmt.Fprintf(w, `{"Type":"Service","Message":"scripted"}`)
	case a.Error != nil:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = w.Write(a.Error)
	default:
		_, _ = w.Write(a.Result)
	}
}

func (s *script) next(execution, function, problem string) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if problem != "" {
		s.complaints[execution] = append(s.complaints[execution], function+" was called with an event that "+problem)
	}
	left := s.answers[execution][function]
	if len(left) == 0 {
		s.complaints[execution] = append(s.complaints[execution], function+" was called once too often")
		return answer{Error: json.RawMessage(`{"errorType":"Unscripted","errorMessage":"called once too often"}`)}
	}
	s.answers[execution][function] = left[1:]
	return left[0]
}

// event is what the state machine sends to a function.
type event struct {
	Request    json.RawMessage `json:"request"`
	Job        struct{ JobID string }
	Execution  struct{ ID, Name, StartTime string }
	LaunchedAt string
	Deadline   string
	ArchiveURL string
	Abort      *bool
}

// problem says what the function would miss in the event; "" if nothing.
func (e event) problem(function string) string {
	switch {
	case e.Execution.ID == "" || e.Execution.StartTime == "":
		return "does not name the execution"
	case function == "launch" && e.Request == nil:
		return "has no request"
	case function != "launch" && e.Job.JobID != "job_1":
		return "does not name the job"
	case function == "poll" && (e.LaunchedAt == "" || e.Deadline == ""):
		return "does not tell the deadline"
	case function == "transfer" && (e.Abort == nil || !*e.Abort && e.ArchiveURL == ""):
		return "has no URL and is no abort"
	}
	return ""
}

package statemachine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// answer is what a function, or Lambda itself, answers to a call.
type answer struct {
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`  // of the function: {"errorType","errorMessage"}
	Status int             `json:"status"` // of Lambda's own refusal, with Type as its name
	Type   string          `json:"type"`
}

// certain are the errors of a launch that prove that no job was made.
var certain = []string{"RequestInvalid", "Unauthorized", "RateLimited", "ScenarioUnavailable", "Misconfigured",
	"TooManyRequestsException", "ResourceNotFoundException"}

// uncertain says that after this answer of a launch there may be a job that nobody knows.
func (a answer) uncertain() bool {
	var own struct{ ErrorType string }
	_ = json.Unmarshal(a.Error, &own)
	return a.Result == nil && !slices.Contains(certain, cmp.Or(a.Type, own.ErrorType))
}

// script plays Lambda: it gives each execution the answers written down for it, in their order.
type script struct {
	mu         sync.Mutex
	answers    map[string]map[string][]answer
	complaints map[string][]string
	launched   map[string]bool // executions whose launch may have made a job
}

func newScript() *script {
	return &script{answers: map[string]map[string][]answer{}, complaints: map[string][]string{}, launched: map[string]bool{}}
}

func (s *script) Expect(execution string, answers map[string][]answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[execution] = answers
}

// Left is how many answers each function was never asked for.
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

// Invoke is a call of a function.
func (s *script) Invoke(_ context.Context, function string, payload []byte) (result []byte, functionError string, err error) {
	var event event
	_ = json.Unmarshal(payload, &event)
	problem, ours := batchProblem(function, payload)
	if !ours {
		problem = event.problem(function)
	}
	if function == "launch" && problem == "" {
		problem = s.checkLaunch(event)
	}
	a := s.next(event.Execution.Name, function, problem)
	switch {
	case a.Status != 0:
		return nil, "", &asl.Error{Name: "Lambda." + a.Type, Cause: "scripted"}
	case a.Error != nil:
		return a.Error, "Unhandled", nil
	}
	return a.Result, "", nil
}

// checkLaunch makes sure that there is never a second launch where the first may have made a job, and that nothing is
// looked for before.
func (s *script) checkLaunch(e event) (problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := e.Execution.Name
	switch {
	case e.Find == nil:
		return "does not say whether to launch"
	case *e.Find != s.launched[name]:
		return fmt.Sprintf("has find %v after a launch that may have made a job: %v", *e.Find, s.launched[name])
	}
	if left := s.answers[name]["launch"]; len(left) > 0 && left[0].uncertain() {
		s.launched[name] = true
	}
	return ""
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
	Find       *bool
	Archive    *struct{ Key, ETag string }
	// Destination is checked for the function that unpacks alone.
	Destination struct{ Unpack *struct{ Prefix string } }
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
		return "has no deadline"
	case function == "transfer" && (e.Abort == nil || !*e.Abort && e.ArchiveURL == ""):
		return "has no URL and is no abort"
	case function == "unpack" && (e.Abort == nil || !*e.Abort && (e.Archive == nil || e.Archive.ETag == "") || e.Destination.Unpack == nil):
		return "does not say what to unpack, or where"
	}
	return ""
}

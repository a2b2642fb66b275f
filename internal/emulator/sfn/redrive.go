package sfn

import (
	"fmt"
	"os"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// How long an execution can be redriven after its end, and how full its history may be (AWS, "RedriveExecution").
const (
	redrivable       = 14 * 24 * time.Hour
	mostBeforeEvents = asl.MaxEvents - 1
)

// Redrive restarts an execution that ended without success, from the state that it ended in. The states before are not
// run again, and the name, the input and the history stay. A repeat with the token of the redrive that runs changes
// nothing. It returns when the execution was redriven.
func (s *Service) Redrive(executionARN, token string) (time.Time, error) {
	e, err := s.findExecution(executionARN)
	if err != nil {
		return time.Time{}, err
	}
	s.starting.Lock()
	defer s.starting.Unlock()
	s.mu.Lock()
	closed, again := s.closed, token != "" && e.redriveToken == token && e.status == asl.StatusRunning
	at, reason := e.redriven, s.notRedrivable(e)
	s.mu.Unlock()
	switch {
	case closed:
		return time.Time{}, errClosed
	case again:
		return at, nil
	case e.machine.run != nil:
		reason = "it is a child of a Map Run, which its parent redrives"
	}
	if reason != "" {
		return time.Time{}, &APIError{"ExecutionNotRedrivable", fmt.Sprintf("The execution '%s' cannot be redriven: %s", e.arn, reason)}
	}
	return s.redrive(e, token)
}

// notRedrivable says why an execution cannot be redriven; empty: it can. The caller holds mu.
func (s *Service) notRedrivable(e *execution) string {
	switch {
	case e.status == asl.StatusRunning || e.status == asl.StatusSucceeded:
		return fmt.Sprintf("Execution is %s and cannot be redriven", e.status)
	case s.clock.Now().Sub(e.stop) > redrivable:
		return "Execution ended more than 14 days ago"
	}
	return ""
}

// redrive sets an ended execution going again. The caller holds starting.
func (s *Service) redrive(e *execution, token string) (time.Time, error) {
	f, resume, input, err := recoverRun(e.path)
	if err != nil {
		return time.Time{}, err
	}
	if err := checkHistory(f, resume); err != nil {
		return time.Time{}, err
	}
	resume.Redrive = true
	s.mu.Lock()
	e.status, e.stop, e.failure, e.done = asl.StatusRunning, time.Time{}, nil, make(chan struct{})
	e.redrives++
	e.redriven, e.redriveToken = s.clock.Now().UTC().Truncate(time.Millisecond), token
	at := e.redriven
	s.mu.Unlock()
	s.run(s.arm(e), e, f, input, resume)
	return at, nil
}

// checkHistory refuses a history that is not there or is full, and closes its file then.
func checkHistory(f *os.File, resume *asl.Resume) error {
	reason := ""
	if resume == nil {
		reason = "it has no history"
	} else if n := len(resume.Events); n > 0 && resume.Events[n-1].ID >= mostBeforeEvents {
		reason = fmt.Sprintf("its history has %d events", resume.Events[n-1].ID)
	}
	if reason == "" {
		return nil
	}
	_ = f.Close()
	return &APIError{"ExecutionNotRedrivable", "The execution cannot be redriven: " + reason}
}

// redriveStatus is what DescribeExecution says of it.
func (s *Service) redriveStatus(e *execution) (status, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch reason = s.notRedrivable(e); {
	case reason != "":
		return "NOT_REDRIVABLE", reason
	case e.machine.run != nil:
		return "REDRIVABLE_BY_MAP_RUN", ""
	}
	return "REDRIVABLE", ""
}

type redriveInput struct {
	executionInput
	Token string `json:"clientToken"`
}

func redriveExecution(s *Service, in redriveInput) (any, error) {
	at, err := s.Redrive(in.ARN, in.Token)
	if err != nil {
		return nil, err
	}
	return map[string]Timestamp{"redriveDate": {at}}, nil
}

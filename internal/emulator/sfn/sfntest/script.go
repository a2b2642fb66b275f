package sfntest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// script plays Lambda: each call is held until the test says how it ends.
type script struct {
	mu      sync.Mutex // guards what follows
	held    map[string]*heldCall
	resting map[string]bool // by name: it waits or has ended, so that no call comes
	finish  map[string]Lambda
	changed chan struct{} // closed and replaced when any of these changes
}

// heldCall is a call that waits for its answer.
type heldCall struct {
	function string
	payload  []byte
	answer   chan reply
}

type reply struct {
	result any
	err    error
}

func newScript() *script {
	return &script{
		held: map[string]*heldCall{}, resting: map[string]bool{}, finish: map[string]Lambda{}, changed: make(chan struct{}),
	}
}

func isOfLambda(err error) bool {
	var e *asl.Error
	return errors.As(err, &e)
}

// invoke holds a call, or answers it as Finish has it.
func (s *script) invoke(ctx context.Context, function string, payload []byte) (any, error) {
	name, err := executionOf(payload)
	if err != nil {
		return nil, err
	}
	c := &heldCall{function, payload, make(chan reply, 1)}
	s.mu.Lock()
	finish := s.finish[name]
	if finish == nil {
		s.held[name] = c
		s.signal()
	}
	s.mu.Unlock()
	if finish != nil {
		return finish(ctx, function, payload)
	}
	select {
	case r := <-c.answer:
		return r.result, r.err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held[name] == c {
			delete(s.held, name)
		}
		return nil, ctx.Err()
	}
}

// observe notes which executions rest.
func (s *script) observe(u emulator.Update) {
	kind := string(u.Event.Type)
	s.mu.Lock()
	defer s.mu.Unlock()
	name := u.ExecutionARN[strings.LastIndexByte(u.ExecutionARN, ':')+1:]
	s.resting[name] = kind == "WaitStateEntered" || kind == "MapRunStarted" ||
		strings.HasPrefix(kind, "Execution") && kind != "ExecutionStarted"
	s.signal()
}

// signal wakes all that wait for a change. The caller holds mu.
func (s *script) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func withLimit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), hang)
}

// until waits for what is found with mu held.
func (s *script) until(found func() bool) error {
	ctx, cancel := withLimit()
	defer cancel()
	for {
		s.mu.Lock()
		ok, changed := found(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("it never came")
		}
	}
}

// reply ends the next call that the execution makes, and returns when it has come to rest again: in another call, in a
// Wait or a Map state, or at its end.
func (s *script) reply(name, function string, r reply) error {
	var c *heldCall
	if err := s.until(func() bool { c = s.held[name]; return c != nil }); err != nil {
		return fmt.Errorf("a call of %s for %s: %w", function, name, err)
	}
	if c.function != function {
		return fmt.Errorf("%s calls %s, not %s", name, c.function, function)
	}
	s.mu.Lock()
	delete(s.held, name)
	s.resting[name] = false
	s.mu.Unlock()
	c.answer <- r
	return s.rest(name)
}

func (s *script) rest(name string) error {
	return s.until(func() bool { return s.held[name] != nil || s.resting[name] })
}

// T is what this package needs of a [testing.TB].
type T interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Answer lets the function's next call for the execution return the result, and returns when the execution waits again:
// for a call's answer, in a Wait or a Map state, or because it has ended.
func (s *Server) Answer(t T, execution, function string, result any) {
	t.Helper()
	if err := s.script.reply(execution, function, reply{result: result}); err != nil {
		t.Fatalf("%v", err)
	}
}

// Fail lets the function's next call for the execution fail; see Answer.
func (s *Server) Fail(t T, execution, function string, err error) {
	t.Helper()
	if err := s.script.reply(execution, function, reply{err: err}); err != nil {
		t.Fatalf("%v", err)
	}
}

// Called returns when the function has been called for the execution, and waits for its answer.
func (s *Server) Called(t T, execution, function string) {
	t.Helper()
	if err := s.script.until(func() bool {
		c := s.script.held[execution]
		return c != nil && c.function == function
	}); err != nil {
		t.Fatalf("%s does not call %s: %v", execution, function, err)
	}
}

// Rest returns when the execution waits; see Answer.
func (s *Server) Rest(t T, execution string) {
	t.Helper()
	if err := s.script.rest(execution); err != nil {
		t.Fatalf("%s does not come to rest: %v", execution, err)
	}
}

// Finish ends an execution of the project's machines, and returns when it has ended. SUCCEEDED: its functions succeed,
// and detail is the output. FAILED: its transfer or its plan fails, and detail is the error's name and message. ABORTED:
// it is stopped with that error and cause. TIMED_OUT: its TimeoutSeconds, and those of every execution that runs, are over.
func (s *Server) Finish(t T, execution, status string, detail ...string) {
	t.Helper()
	if err := s.finish(execution, status, detail...); err != nil {
		t.Fatalf("finish %s as %s: %v", execution, status, err)
	}
}

func (s *Server) finish(execution, status string, detail ...string) error {
	e, err := s.execution(execution)
	if err != nil {
		return err
	}
	detail = append(detail, "", "")
	switch status {
	case "ABORTED":
		_, err := s.Stop(e.ARN, detail[0], detail[1])
		return err
	case "FAILED":
		s.script.finishWith(execution, func(_ context.Context, function string, payload []byte) (any, error) {
			return failure(function, payload, &FunctionError{detail[0], detail[1]})
		})
	case "SUCCEEDED":
		s.script.finishWith(execution, func(_ context.Context, function string, _ []byte) (any, error) {
			return success(function, detail[0]), nil
		})
	case "TIMED_OUT":
		if err := s.script.rest(execution); err != nil { // its limit is set when it runs
			return err
		}
		s.limits.end()
	default:
		return errors.New("no execution ends so")
	}
	return s.ended(execution)
}

func (s *script) finishWith(name string, f Lambda) {
	s.mu.Lock()
	s.finish[name] = f
	c := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if c != nil {
		result, err := f(context.Background(), c.function, c.payload)
		c.answer <- reply{result, err}
	}
}

// execution finds one by its name alone: a test gives each another.
func (s *Server) execution(name string) (emulator.Execution, error) {
	for _, m := range s.machines {
		arn := strings.Replace(m, ":stateMachine:", ":execution:", 1) + ":" + name
		if e, err := s.Describe(arn); err == nil {
			return e, nil
		}
	}
	return emulator.Execution{}, fmt.Errorf("there is no execution %s", name)
}

// Inputs are the inputs of the executions of the project's machines, by name.
func (s *Server) Inputs() map[string]string {
	inputs := map[string]string{}
	for _, m := range s.machines {
		for from := ""; ; {
			page, next, err := s.List(m, "", 1000, from)
			if err != nil {
				break // there is no such machine
			}
			for _, e := range page {
				if d, err := s.Describe(e.ARN); err == nil {
					inputs[e.Name] = string(d.Input)
				}
			}
			if from = next; from == "" {
				break
			}
		}
	}
	return inputs
}

// Started is the number of executions that were made.
func (s *Server) Started() int { return len(s.Inputs()) }

// substitution is what a definition's placeholder stands for here.
func substitution(name string) (string, bool) {
	if function, ok := strings.CutSuffix(name, "FunctionArn"); ok {
		return strings.ToLower(function), true
	}
	if machine, ok := strings.CutSuffix(name, "StateMachineArn"); ok {
		return arnPrefix + strings.ToLower(machine), true
	}
	return "aws", name == "Partition"
}

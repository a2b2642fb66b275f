package sfntest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// script plays Lambda: each call is held until the test says how it ends.
type script struct {
	service *emulator.Service

	mu      sync.Mutex // guards what follows
	held    map[string]*heldCall
	resting map[string]bool // by name: it waits or has ended, so that no call comes
	finish  map[string]Lambda
	changed chan struct{} // closed, and made anew, when any of these changes
}

// heldCall is a call that waits for its answer.
type heldCall struct {
	function string
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
	c := &heldCall{function, make(chan reply, 1)}
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

// signal wakes whoever waits for a change. The caller holds mu.
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

// Answer lets the function's next call for the execution return the result, and returns when the execution waits again:
// for a call's answer, in a Wait or a Map state, or because it has ended.
func (s *Server) Answer(t testing.TB, execution, function string, result any) {
	t.Helper()
	if err := s.script.reply(execution, function, reply{result: result}); err != nil {
		t.Fatal(err)
	}
}

// Fail lets the function's next call for the execution fail; see Answer.
func (s *Server) Fail(t testing.TB, execution, function string, err error) {
	t.Helper()
	if err := s.script.reply(execution, function, reply{err: err}); err != nil {
		t.Fatal(err)
	}
}

// Rest returns when the execution waits; see Answer.
func (s *Server) Rest(t testing.TB, execution string) {
	t.Helper()
	if err := s.script.rest(execution); err != nil {
		t.Fatalf("%s does not come to rest: %v", execution, err)
	}
}

// Finish ends an execution of the project's machines, and returns when it has ended. SUCCEEDED: its functions succeed,
// and detail is the output. FAILED: they fail, and detail is the error's name and message. ABORTED: it is stopped with
// that error and cause.
func (s *Server) Finish(execution, status string, detail ...string) error {
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
		s.script.finishWith(execution, func(context.Context, string, []byte) (any, error) {
			return nil, &FunctionError{detail[0], detail[1]}
		})
	case "SUCCEEDED":
		s.script.finishWith(execution, func(_ context.Context, function string, _ []byte) (any, error) {
			return success(function, detail[0]), nil
		})
	default:
		return fmt.Errorf("an execution cannot be finished as %s", status)
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
		result, err := f(context.Background(), c.function, nil)
		c.answer <- reply{result, err}
	}
}

// success is a function's answer on the shortest way to an output.
func success(function, output string) any {
	switch function {
	case "launch":
		return Launched(0)
	case "poll":
		return Polled("success", 1)
	case "transfer":
		return map[string]any{"finished": true, "output": json.RawMessage(output)}
	case "plan":
		return map[string]any{"toDo": 0}
	default:
		return map[string]any{"again": false, "output": json.RawMessage(output)}
	}
}

// Launched is an answer of the launch function, for the object b/k.zip.
func Launched(waitSeconds int) any {
	return map[string]any{
		"job":        map[string]any{"jobId": "job_1", "endpoint": "download", "projectId": "p"},
		"launchedAt": "2026-01-02T15:04:05Z", "deadline": "2026-01-02T16:04:05Z", "waitSeconds": waitSeconds,
		"destination": map[string]any{"bucket": "b", "key": "k.zip", "overwrite": false},
	}
}

// SignedURL is the archive's, with a signature that nobody may see.
const SignedURL = "https://cdn.example.com/a.zip?Signature=s3cret"

// Polled is an answer of the poll function: success, with SignedURL, or running, with another look after some hours.
func Polled(status string, progress float64) any {
	answer := map[string]any{
		"status": status, "scenarioStatus": status, "progress": progress, "waitSeconds": 100_000, "archiveUrl": SignedURL, "cause": "",
	}
	if status == "running" {
		answer["scenarioStatus"], answer["archiveUrl"] = "warming-up", ""
	}
	return answer
}

// Transferring brings an execution of the archive into its second transfer function, which has failed once.
func (s *Server) Transferring(t testing.TB, execution string) {
	t.Helper()
	s.Answer(t, execution, "launch", Launched(0))
	s.Answer(t, execution, "poll", Polled("success", 1))
	s.Answer(t, execution, "transfer", map[string]any{"finished": false, "bytesDone": 5, "bytesTotal": 9, "output": nil})
	s.Fail(t, execution, "transfer", &FunctionError{"SourceUnavailable", "no answer"})
	s.Rest(t, execution)
}

// execution finds one by its name alone: a test gives each another.
func (s *Server) execution(name string) (emulator.Execution, error) {
	for _, m := range s.machines() {
		arn := strings.Replace(m, ":stateMachine:", ":execution:", 1) + ":" + name
		if e, err := s.Describe(arn); err == nil {
			return e, nil
		}
	}
	return emulator.Execution{}, fmt.Errorf("there is no execution %s", name)
}

func (s *Server) machines() []string { return []string{MachineARN, BatchMachineARN} }

// Inputs are the inputs of the executions of the project's machines, by name.
func (s *Server) Inputs() map[string]string {
	inputs := map[string]string{}
	for _, m := range s.machines() {
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

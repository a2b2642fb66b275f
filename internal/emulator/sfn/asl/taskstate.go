package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
)

// The resources of Task states. lambda:invoke calls a Lambda function and waits for its answer.
// states:startExecution.sync:2 runs another state machine and waits for its end; its result holds the output as JSON,
// not as text.
const (
	LambdaInvokeResource   = "arn:aws:states:::lambda:invoke"
	StartExecutionResource = "arn:aws:states:::states:startExecution.sync:2"
)

// TaskRunner does the work of the Task states of one resource ARN. Run's result is the state's result, as JSON text,
// before ResultSelector. An error that is not a [*Error] fails the task with States.TaskFailed. When ctx ends, Run
// must return soon: the state's time is over, or the execution was stopped. A task of StartExecutionResource that was in
// flight when the process ended is run again with the same Token, and must go on with what it began.
type TaskRunner interface {
	Run(ctx context.Context, t Task) (json.RawMessage, error)
}

// Runners holds a TaskRunner for each resource ARN that definitions may name.
type Runners map[string]TaskRunner

// Task is what a TaskRunner is asked to do.
type Task struct {
	Resource   string          // the resource ARN of the definition
	State      string          // name of the state, for messages
	Parameters json.RawMessage // JSON text after Parameters

	// Token names this attempt at the state, also when it continues after a restart.
	Token string
	// Submitted records what was started elsewhere, as JSON text, by a task that waits for it (.sync).
	Submitted func(output json.RawMessage) error
}

func (s *state) checkTask() error {
	switch s.Resource { // a misspelt Payload would be a call without one
	case LambdaInvokeResource:
		return s.Parameters.checkNames("FunctionName", "Payload")
	case StartExecutionResource:
		return s.Parameters.checkNames("StateMachineArn", "Input", "Name")
	}
	return wrong("Resource", "%q is not supported", s.Resource)
}

// details are those that all events of a Task state have.
func (s *step) details() Details {
	service, action, _ := strings.Cut(strings.TrimPrefix(s.Resource, "arn:aws:states:::"), ":")
	return Details{ResourceType: service, Resource: action}
}

func (s *step) runTask(input any) (any, error) {
	task := Task{Resource: s.Resource, State: s.state.name, Parameters: json.RawMessage(encodeJSON(input))}
	timeout := time.Duration(s.TimeoutSeconds)
	started := s.takeTask()
	if started.scheduled == 0 {
		if err := s.beginTask(task.Parameters); err != nil {
			return nil, err
		}
		started.scheduled = s.r.prev - 1
	} else if timeout > 0 { // a task that continues has used some of its time
		timeout = max(time.Nanosecond, timeout-s.r.clock.Now().Sub(started.at))
	}
	task.Token = fmt.Sprintf("%s#%d", s.r.info.ARN, started.scheduled)
	task.Submitted = func(output json.RawMessage) error {
		if started.submitted {
			return nil
		}
		started.submitted = true
		d := s.details()
		d.Output = string(output)
		return s.r.record("TaskSubmitted", d, nil)
	}
	text, err := s.call(task, timeout)
	return s.endTask(text, err)
}

func (s *step) beginTask(parameters json.RawMessage) error {
	d := s.details()
	d.Region, d.Parameters, d.Timeout = emulator.Region, string(parameters), int64(time.Duration(s.TimeoutSeconds)/time.Second)
	if err := s.r.record("TaskScheduled", d, nil); err != nil {
		return err
	}
	return s.r.record("TaskStarted", s.details(), nil)
}

// call has the work done within its time; 0: there is no limit.
func (s *step) call(task Task, timeout time.Duration) ([]byte, error) {
	ctx, cancel := s.ctx, context.CancelFunc(func() {})
	if timeout > 0 {
		ctx, cancel = s.r.clock.WithTimeout(ctx, timeout)
	}
	defer cancel()
	text, err := s.r.x.Runners[s.Resource].Run(ctx, task)
	if err != nil && s.ctx.Err() == nil && ctx.Err() != nil {
		return nil, &Error{Name: errTimeout}
	}
	return text, err
}

// endTask records how the task ended.
func (s *step) endTask(text []byte, err error) (any, error) {
	if err != nil && s.ctx.Err() != nil {
		return nil, err // the execution ends; that is recorded there
	}
	d := s.details()
	var result any
	if err == nil {
		result, err = decodeResult(text, d.ResourceType)
	}
	if err == nil {
		d.Output = encodeJSON(result)
		return result, s.r.record("TaskSucceeded", d, nil)
	}
	failure := toFailure(err)
	d.Error, d.Cause = failure.Name, failure.Cause
	kind := EventType("TaskFailed")
	if failure.Name == errTimeout {
		kind = "TaskTimedOut"
	}
	if err := s.r.record(kind, d, nil); err != nil {
		return nil, err
	}
	return nil, failure
}

func decodeResult(text []byte, service string) (any, error) {
	if err := checkSize(string(text), service); err != nil {
		return nil, err
	}
	v, err := decodeJSON(text)
	if err != nil {
		return nil, runtimeError("the result of the task is not JSON: %v", err)
	}
	return v, nil
}

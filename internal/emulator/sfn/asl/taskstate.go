package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// taskBody is a Task state.
type taskBody struct {
	resource, service, action string // "arn:aws:states:::lambda:invoke", "lambda", "invoke"
	timeout                   time.Duration
}

// taskParameters are those that each resource takes. A misspelt Payload would be a call without one.
var taskParameters = map[string][]string{
	LambdaInvokeResource:   {"FunctionName", "Payload"},
	StartExecutionResource: {"StateMachineArn", "Input", "Name"},
}

func compileTask(c *compiler, f *fields) body {
	t := &taskBody{resource: f.required("Resource"), timeout: f.seconds("TimeoutSeconds")}
	if t.resource == "" {
		return t
	}
	names, ok := taskParameters[t.resource]
	if !ok {
		f.wrong("Resource", "%q is not supported", t.resource)
		return t
	}
	t.service, t.action, _ = strings.Cut(strings.TrimPrefix(t.resource, "arn:aws:states:::"), ":")
	f.checkParameters(names[0], names[1:]...)
	if !slices.Contains(c.resources, t.resource) {
		c.resources = append(c.resources, t.resource)
	}
	return t
}

func (b *taskBody) run(s *step, input any) (any, error) {
	task := Task{
		Resource: b.resource, State: s.state.name, Parameters: json.RawMessage(encodeJSON(input)), Timeout: b.timeout,
		Execution: s.r.info,
	}
	started := s.takeTask()
	if started.scheduled == 0 {
		if err := b.begin(s, task); err != nil {
			return nil, err
		}
		started.scheduled = s.r.prev - 1
	} else if b.timeout > 0 { // a task that continues has used some of its time
		task.Timeout = max(time.Nanosecond, b.timeout-s.r.clock.Now().Sub(started.at))
	}
	task.Token = fmt.Sprintf("%s#%d", s.r.info.ARN, started.scheduled)
	task.Submitted = func(output json.RawMessage) error {
		if started.submitted {
			return nil
		}
		started.submitted = true
		d := Details{ResourceType: b.service, Resource: b.action, Output: string(output)}
		return s.r.record("TaskSubmitted", d, nil)
	}
	text, err := b.call(s, task)
	return b.ended(s, text, err)
}

func (b *taskBody) begin(s *step, task Task) error {
	err := s.r.record("TaskScheduled", Details{
		ResourceType: b.service, Resource: b.action, Region: s.r.x.Region, Parameters: string(task.Parameters),
		Timeout: int64(b.timeout / time.Second),
	}, nil)
	if err != nil {
		return err
	}
	return s.r.record("TaskStarted", Details{ResourceType: b.service, Resource: b.action}, nil)
}

// call has the work done within its time.
func (b *taskBody) call(s *step, task Task) ([]byte, error) {
	ctx, cancel := s.ctx, context.CancelFunc(func() {})
	if task.Timeout > 0 {
		ctx, cancel = s.r.clock.WithTimeout(ctx, task.Timeout)
	}
	defer cancel()
	text, err := s.r.x.Runners[b.resource].Run(ctx, task)
	if err != nil && s.ctx.Err() == nil && ctx.Err() != nil {
		return nil, &Error{Name: errTimeout}
	}
	return text, err
}

// ended records how the task ended.
func (b *taskBody) ended(s *step, text []byte, err error) (any, error) {
	if err != nil && s.ctx.Err() != nil {
		return nil, err // the execution ends; that is recorded there
	}
	var result any
	if err == nil {
		result, err = decodeResult(text, b.service)
	}
	d := Details{ResourceType: b.service, Resource: b.action}
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

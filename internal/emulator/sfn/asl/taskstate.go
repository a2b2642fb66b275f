package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// taskBody is a Task state.
type taskBody struct {
	resource, service, action string // "arn:aws:states:::lambda:invoke", "lambda", "invoke"
	timeout, heartbeat        timeLimit
}

// timeLimit is TimeoutSeconds or HeartbeatSeconds, given or by path; zero: none.
type timeLimit struct {
	fixed time.Duration
	path  *path
}

func compileTask(c *compiler, f *fields) body {
	t := &taskBody{resource: f.required("Resource")}
	t.timeout, t.heartbeat = limit(f, "Timeout"), limit(f, "Heartbeat")
	if t.timeout.fixed > 0 && t.heartbeat.fixed >= t.timeout.fixed {
		f.wrong("HeartbeatSeconds", "must be less than TimeoutSeconds")
	}
	if t.resource == "" {
		return t
	}
	name, ok := strings.CutPrefix(t.resource, "arn:aws:states:::")
	service, action, ok2 := strings.Cut(name, ":")
	switch {
	case !ok || !ok2 || service == "" || action == "":
		f.wrong("Resource", "%q is not supported; arn:aws:states:::<service>:<action> is", t.resource)
	case strings.HasSuffix(action, ".waitForTaskToken"):
		f.wrong("Resource", "%q is not supported: there are no task tokens", t.resource)
	}
	t.service, t.action = service, action
	if !slices.Contains(c.resources, t.resource) {
		c.resources = append(c.resources, t.resource)
	}
	switch t.resource { // a misspelt Payload would be a call without one
	case LambdaInvokeResource:
		f.checkParameters("FunctionName", "Payload")
	case StartExecutionResource:
		f.checkParameters("StateMachineArn", "Input", "Name", "TraceHeader")
	}
	return t
}

func limit(f *fields, name string) timeLimit {
	f.atMostOne(name+"Seconds", name+"SecondsPath")
	return timeLimit{fixed: f.seconds(name + "Seconds"), path: f.onePlace(name + "SecondsPath")}
}

func (l timeLimit) duration(s *step, field string) (time.Duration, error) {
	if l.path == nil {
		return l.fixed, nil
	}
	n, err := secondsAt(s, l.path, field)
	if err == nil && n == 0 {
		err = runtimeError("The %s parameter references a value that is not positive: %s", field, l.path.text)
	}
	return n, err
}

// secondsAt is the number of seconds that a path in the state's input leads to.
func secondsAt(s *step, p *path, field string) (time.Duration, error) {
	v, err := s.atInput(p)
	if err != nil {
		return 0, runtimeError("The %s parameter does not reference an input value: %s", field, p.text)
	}
	n, isNumber := v.(json.Number)
	seconds, ok := toInteger(n)
	switch {
	case !isNumber || !ok || seconds > maxSeconds:
		return 0, runtimeError("The %s parameter cannot be parsed as a number of seconds: %s is %s",
			field, p.text, typeName(v))
	case seconds < 0:
		return 0, runtimeError("The %s parameter references a negative value: %s == %d", field, p.text, seconds)
	}
	return time.Duration(seconds) * time.Second, nil
}

// atInput evaluates a path on the effective input (after InputPath).
func (s *step) atInput(p *path) (any, error) {
	scope := s.scope(s.raw)
	input, err := s.state.input.pick(scope, "InputPath")
	if err != nil {
		return nil, err
	}
	scope.input = input
	return p.eval(scope)
}

func (b *taskBody) run(s *step, input any) (any, error) {
	timeout, err := b.timeout.duration(s, "TimeoutSecondsPath")
	if err != nil {
		return nil, err
	}
	heartbeat, err := b.heartbeat.duration(s, "HeartbeatSecondsPath")
	if err != nil {
		return nil, err
	}
	task := Task{
		Resource: b.resource, State: s.state.name, Parameters: json.RawMessage(encodeJSON(input)), Timeout: timeout,
		Execution: s.r.info,
	}
	begun := s.takeTask()
	if begun.scheduled == 0 {
		err = b.begin(s, task, timeout, heartbeat)
		begun.scheduled = s.t.prev - 1
	} else if timeout > 0 { // what is gone on with has used some of its time
		task.Timeout = max(time.Nanosecond, timeout-s.r.clock.Now().Sub(begun.at))
	}
	if err != nil {
		return nil, err
	}
	task.Token = fmt.Sprintf("%s#%d", s.r.info.ARN, begun.scheduled)
	task.Submitted = func(output json.RawMessage) error {
		if begun.submitted {
			return nil
		}
		begun.submitted = true
		d := Details{ResourceType: b.service, Resource: b.action, Output: string(output)}
		return s.r.record(s.t, "TaskSubmitted", d, nil)
	}
	text, err := b.call(s, task)
	return b.ended(s, text, err)
}

func (b *taskBody) begin(s *step, task Task, timeout, heartbeat time.Duration) error {
	err := s.r.record(s.t, "TaskScheduled", Details{
		ResourceType: b.service, Resource: b.action, Region: s.r.x.Region, Parameters: string(task.Parameters),
		Timeout: int64(timeout / time.Second), Heartbeat: int64(heartbeat / time.Second),
	}, nil)
	if err != nil {
		return err
	}
	return s.r.record(s.t, "TaskStarted", Details{ResourceType: b.service, Resource: b.action}, nil)
}

// begunTask is a task whose work goes on elsewhere while this process does not.
type begunTask struct {
	scheduled int64 // ID of its TaskScheduled event; 0: none was in flight
	at        time.Time
	submitted bool
}

// takeTask looks for the task that was in flight when the last process ended, once: a retry is a task of its own.
func (s *step) takeTask() begunTask {
	events := s.entry.events
	s.entry.events = nil
	if n := len(events); n == 0 || !inFlight(events[n-1]) || !goesOn(events[n-1]) {
		return begunTask{}
	}
	begun := begunTask{}
	for _, e := range events {
		switch e.Type {
		case "TaskScheduled":
			begun = begunTask{scheduled: e.ID, at: e.Time}
		case "TaskSubmitted":
			begun.submitted = true
		}
	}
	return begun
}

// call has the work done within its time.
func (b *taskBody) call(s *step, task Task) ([]byte, error) {
	runner := s.r.x.Runners[b.resource]
	if runner == nil {
		return nil, &Error{errRuntime, fmt.Sprintf("the resource %q is not supported here", b.resource)}
	}
	ctx, cancel := s.ctx, context.CancelFunc(func() {})
	if task.Timeout > 0 {
		ctx, cancel = s.r.clock.WithTimeout(ctx, task.Timeout)
	}
	defer cancel()
	text, err := runner.Run(ctx, task)
	if err != nil && s.ctx.Err() == nil && ctx.Err() != nil {
		return nil, &Error{Name: errTimeout}
	}
	return text, err
}

// ended records how the task ended.
func (b *taskBody) ended(s *step, text []byte, err error) (any, error) {
	if err != nil && s.ctx.Err() != nil {
		return nil, err // the execution or the branch ends; that is recorded there
	}
	var result any
	if err == nil {
		result, err = decodeResult(text, b.service)
	}
	d := Details{ResourceType: b.service, Resource: b.action}
	if err == nil {
		d.Output = encodeJSON(result)
		return result, s.r.record(s.t, "TaskSucceeded", d, nil)
	}
	failure := toFailure(err)
	d.Error, d.Cause = failure.Name, failure.Cause
	kind := EventType("TaskFailed")
	if failure.Name == errTimeout {
		kind = "TaskTimedOut"
	}
	if err := s.r.record(s.t, kind, d, nil); err != nil {
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

// The longest error and cause that the API knows, in bytes.
const (
	maxErrorLength = 256
	maxCauseLength = 32_768
)

func toFailure(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{errTaskFailed, err.Error()}
	}
	return &Error{clip(e.Name, maxErrorLength), clip(e.Cause, maxCauseLength)}
}

// clip cuts s to n bytes, not within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// step is one state on its way through: entered once, perhaps tried several times.
type step struct {
	r *run
	t *thread
	*entry
	*state
	ctx     context.Context // ends with the execution, or with the branch that the state is in
	enterID int64
	time    time.Time
	next    string
	retries int
}

// pass runs the state with its Retry and Catch. It sets next.
func (s *step) pass(ctx context.Context) (any, error) {
	s.ctx, s.next, s.time = ctx, s.state.next, s.r.clock.Now()
	if s.entry.entered {
		s.time = s.since
	} else {
		d := Details{Name: s.state.name, Input: encodeJSON(s.raw)}
		if err := s.r.record(s.t, EventType(s.kind+"StateEntered"), d, nil); err != nil {
			return nil, err
		}
	}
	s.enterID = s.t.prev
	output, err := s.tryAll()
	if err != nil {
		return nil, s.ended(err)
	}
	return output, s.exit(output)
}

// tryAll is the loop of Retry, then Catch.
func (s *step) tryAll() (any, error) {
	used := make([]int, len(s.retry))
	for {
		output, err := s.try()
		if err == nil {
			return output, nil
		}
		if s.ctx.Err() != nil {
			return nil, context.Cause(s.ctx)
		}
		var failure *Error
		if !errors.As(err, &failure) {
			return nil, err
		}
		again, err := s.waitToRetry(failure, used)
		if err != nil {
			return nil, err
		}
		if !again {
			return s.caught(failure)
		}
		s.retries++
	}
}

// waitToRetry waits as the first retrier that takes the error says; false when none does, or its attempts are used up.
func (s *step) waitToRetry(failure *Error, used []int) (bool, error) {
	for i := range s.retry {
		r := &s.retry[i]
		if !failure.matches(r.errors) {
			continue
		}
		if used[i] >= r.maxAttempts {
			return false, nil
		}
		used[i]++
		if err := s.r.clock.Sleep(s.ctx, r.delay(used[i]-1, s.r.jitter)); err != nil {
			return false, context.Cause(s.ctx)
		}
		return true, nil
	}
	return false, nil
}

// caught goes on with the first catcher that takes the error: its output is the state's input with the error in it.
func (s *step) caught(failure *Error) (any, error) {
	for _, c := range s.catch {
		if !failure.matches(c.errors) {
			continue
		}
		s.next = c.next
		info := newObject(2)
		info.set("Error", failure.Name)
		info.set("Cause", failure.Cause)
		output, err := c.result.place(s.raw, info)
		if err == nil {
			err = s.checkSize(output)
		}
		if err != nil {
			return nil, s.locate(err)
		}
		return output, nil
	}
	return nil, failure
}

// try runs the state once, through all of its input and output processing.
func (s *step) try() (any, error) {
	output, err := s.process()
	if err != nil {
		return nil, s.locate(err)
	}
	return output, nil
}

func (s *step) process() (any, error) {
	scope := s.scope(s.raw)
	input, err := s.state.input.pick(scope, "InputPath")
	if err != nil {
		return nil, err
	}
	scope.input = input
	if s.parameters != nil {
		if input, err = s.parameters.fill(scope); err != nil {
			return nil, err
		}
	}
	if err := s.checkSize(input); err != nil {
		return nil, err
	}
	result, err := s.body.run(s, input)
	if err != nil {
		return nil, err
	}
	return s.finish(result)
}

// finish makes the state's output of its result.
func (s *step) finish(result any) (any, error) {
	var err error
	if s.resultSelector != nil {
		if result, err = s.resultSelector.fill(s.scope(result)); err != nil {
			return nil, err
		}
	}
	if stateTypes[s.kind].result {
		if result, err = s.result.place(s.raw, result); err != nil {
			return nil, err
		}
	}
	output, err := s.output.pick(s.scope(result), "OutputPath")
	if err != nil {
		return nil, err
	}
	return output, s.checkSize(output)
}

// exit records that the state was left, and the checkpoint at which it was.
func (s *step) exit(output any) error {
	text := encodeJSON(output)
	var next *Checkpoint
	if s.top {
		next = &Checkpoint{State: s.next, Input: json.RawMessage(text), Entered: s.r.clock.Now()}
	}
	return s.r.record(s.t, EventType(s.kind+"StateExited"), Details{Name: s.state.name, Output: text}, next)
}

// errSibling is why a branch or item ends when another one has failed.
var errSibling = errors.New("another branch failed")

// ended records that a state within a branch was aborted because another branch failed.
func (s *step) ended(err error) error {
	if !errors.Is(err, errSibling) {
		return err
	}
	switch s.kind {
	case "Task", "Wait", "Map", "Parallel":
		if failed := s.r.record(s.t, EventType(s.kind+"StateAborted"), Details{}, nil); failed != nil {
			return failed
		}
	}
	return err
}

// scope is what the state's expressions see, with $ standing for input.
func (s *step) scope(input any) *scope {
	about := newObject(3)
	about.set("Name", s.state.name)
	about.set("EnteredTime", s.time.UTC().Format(timeFormat))
	if stateTypes[s.kind].retry {
		about.set("RetryCount", number(int64(s.retries)))
	}
	c := s.r.context.with("State", about)
	if s.t.item != nil {
		c.set("Map", s.t.item)
	}
	return &scope{input: input, context: c}
}

// locate puts the state's name before what went wrong in it, as AWS does for States.Runtime.
func (s *step) locate(err error) error {
	const intro = "An error occurred while executing the state "
	var e *Error
	if !errors.As(err, &e) || e.Name != errRuntime || strings.HasPrefix(e.Cause, intro) {
		return err
	}
	return runtimeError("%s'%s' (entered at the event id #%d). %s", intro, s.state.name, s.enterID, e.Cause)
}

func (s *step) checkSize(v any) error { return checkSize(encodeJSON(v), s.state.name) }

func checkSize(text, name string) error {
	if len(text) <= MaxDataSize {
		return nil
	}
	return &Error{errDataLimit, fmt.Sprintf(
		"The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", name)}
}

// pick is the part of the scope's input that an InputPath or OutputPath selects.
func (p ioPath) pick(e *scope, field string) (any, error) {
	switch {
	case p.null:
		return newObject(0), nil
	case p.p == nil:
		return e.input, nil
	}
	v, err := p.p.eval(e)
	if err != nil {
		return nil, runtimeError("The path '%s' of %s could not be found in %s", p.p.text, field, p.p.where())
	}
	return v, nil
}

// place puts result into the raw input, as a ResultPath says.
func (p ioPath) place(raw, result any) (any, error) {
	switch {
	case p.null:
		return raw, nil
	case p.p == nil:
		return result, nil
	}
	v, err := setPath(raw, p.p.segments, result)
	if err != nil {
		return nil, &Error{errResultPath, fmt.Sprintf(
			"Unable to apply step \"%s\" to the input: there is no %v.", p.p.text, err)}
	}
	return v, nil
}

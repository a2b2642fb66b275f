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
	r   *run
	ctx context.Context // ends with the execution
	*entry
	*state
	enterID int64
	next    string
}

// entry is a state about to be entered, or one that was entered before the run was taken up again.
type entry struct {
	name    string
	raw     any       // the raw input
	entered bool      // its StateEntered event is there already
	since   time.Time // when it was entered, for a Wait that goes on; zero: it begins now
	events  []Event   // since the last checkpoint; dropped when what was under way is taken up
	redrive bool      // the execution failed there, and is tried again
}

// pass runs the state with its Retry and Catch. It sets next.
func (s *step) pass() (any, error) {
	s.next = s.state.next
	if !s.entered {
		d := Details{Name: s.state.name, Input: encodeJSON(s.raw)}
		if err := s.r.record(EventType(s.kind+"StateEntered"), d, nil); err != nil {
			return nil, err
		}
	}
	s.enterID = s.r.prev
	output, err := s.tryAll()
	if err != nil {
		return nil, err
	}
	text := encodeJSON(output)
	next := &Checkpoint{State: s.next, Input: json.RawMessage(text), Entered: s.r.clock.Now()}
	return output, s.r.record(EventType(s.kind+"StateExited"), Details{Name: s.state.name, Output: text}, next)
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
	input := s.raw
	var err error
	if s.parameters != nil {
		if input, err = s.parameters.fill(s.scope(input)); err != nil {
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
	if s.output != nil {
		if result, err = s.output.eval(s.scope(result)); err != nil {
			return nil, runtimeError("The path '%s' of OutputPath could not be found in %s", s.output.text, s.output.where())
		}
	}
	return result, s.checkSize(result)
}

// scope is what the state's expressions see, with $ standing for input.
func (s *step) scope(input any) *scope { return &scope{input: input, context: s.r.context} }

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

// place puts result into the raw input, as a ResultPath says.
func (p resultPath) place(raw, result any) (any, error) {
	switch {
	case p.null:
		return raw, nil
	case p.p == nil:
		return result, nil
	}
	v, err := setPath(raw, p.p.names, result)
	if err != nil {
		return nil, &Error{errResultPath, fmt.Sprintf(
			"Unable to apply step \"%s\" to the input: there is no %v.", p.p.text, err)}
	}
	return v, nil
}

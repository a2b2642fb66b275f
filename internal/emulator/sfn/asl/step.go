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
	s.next = s.Next
	if !s.entered {
		d := Details{Name: s.state.name, Input: encodeJSON(s.raw)}
		if err := s.r.record(EventType(s.Type+"StateEntered"), d, nil); err != nil {
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
	return output, s.r.record(EventType(s.Type+"StateExited"), Details{Name: s.state.name, Output: text}, next)
}

// tryAll is the loop of Retry, then Catch.
func (s *step) tryAll() (any, error) {
	used := make([]int, len(s.Retry))
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
	for i := range s.Retry {
		r := &s.Retry[i]
		if !failure.matches(r.ErrorEquals) {
			continue
		}
		if used[i] >= *r.MaxAttempts {
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
	for _, c := range s.Catch {
		if !failure.matches(c.ErrorEquals) {
			continue
		}
		s.next = c.Next
		info := newObject(2)
		info.set("Error", failure.Name)
		info.set("Cause", failure.Cause)
		output, err := c.ResultPath.place(s.raw, info)
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
	if s.Parameters != nil {
		if input, err = s.Parameters.fill(s.scope(input)); err != nil {
			return nil, err
		}
	}
	if err := s.checkSize(input); err != nil {
		return nil, err
	}
	result, err := s.work(input)
	if err != nil {
		return nil, err
	}
	if s.ResultSelector != nil {
		if result, err = s.ResultSelector.fill(s.scope(result)); err != nil {
			return nil, err
		}
	}
	if result, err = s.ResultPath.place(s.raw, result); err != nil {
		return nil, err
	}
	if s.OutputPath != nil {
		if result, err = s.OutputPath.eval(s.scope(result)); err != nil {
			return nil, runtimeError("The path '%s' of OutputPath could not be found in %s", s.OutputPath.text, s.OutputPath.where())
		}
	}
	return result, s.checkSize(result)
}

// work does what a state of this Type does with its effective input (after Parameters). The result is that before
// ResultSelector.
func (s *step) work(input any) (any, error) {
	switch s.Type {
	case "Task":
		return s.runTask(input)
	case "Map":
		return s.runMap(input)
	case "Wait":
		return s.runWait(input)
	case "Choice":
		return s.runChoice(input)
	case "Fail":
		return s.runFail(input)
	default: // Pass, Succeed
		return input, nil
	}
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

// resultPath is a ResultPath: where the result goes in the input; the whole of it when path is nil; or nowhere.
type resultPath struct {
	path *path
	null bool
}

// UnmarshalJSON reads null, or a path into the input.
func (p *resultPath) UnmarshalJSON(text []byte) error {
	p.null = string(text) == "null"
	err := json.Unmarshal(text, &p.path)
	if err == nil && p.path != nil && p.path.context {
		err = fmt.Errorf("path %q: must lead into the input", p.path.text)
	}
	return err
}

// place puts result into the raw input, as a ResultPath says.
func (p resultPath) place(raw, result any) (any, error) {
	switch {
	case p.null:
		return raw, nil
	case p.path == nil:
		return result, nil
	}
	v, err := setPath(raw, p.path.names, result)
	if err != nil {
		return nil, &Error{errResultPath, fmt.Sprintf(
			"Unable to apply step \"%s\" to the input: there is no %v.", p.path.text, err)}
	}
	return v, nil
}

package asl

import (
	"fmt"
	"slices"
	"time"
)

// passBody is a Pass state.
type passBody struct {
	hasResult bool
	result    any
}

func compilePass(_ *compiler, f *fields) body {
	v, ok := f.take("Result")
	return &passBody{ok, v}
}

func (b *passBody) run(_ *step, input any) (any, error) {
	if b.hasResult {
		return b.result, nil
	}
	return input, nil
}

// succeedBody is a Succeed state.
type succeedBody struct{}

func compileSucceed(*compiler, *fields) body { return succeedBody{} }

func (succeedBody) run(_ *step, input any) (any, error) { return input, nil }

// failBody is a Fail state.
type failBody struct {
	name, cause         string
	namePath, causePath expression // nil: not by path
}

// failFunctions are the intrinsic functions that ErrorPath and CausePath may call (AWS, "Fail workflow state").
var failFunctions = []string{
	"States.Format", "States.JsonToString", "States.ArrayGetItem", "States.Base64Encode", "States.Base64Decode",
	"States.Hash", "States.UUID",
}

func compileFail(_ *compiler, f *fields) body {
	f.atMostOne("Error", "ErrorPath")
	f.atMostOne("Cause", "CausePath")
	return &failBody{
		name: f.text("Error"), cause: f.text("Cause"),
		namePath: failPath(f, "ErrorPath"), causePath: failPath(f, "CausePath"),
	}
}

func failPath(f *fields, name string) expression {
	s, ok := f.string(name)
	if !ok {
		return nil
	}
	expr, err := parseExpression(s)
	if err != nil {
		f.wrong(name, "%v", err)
		return nil
	}
	if c, ok := expr.(*call); ok && !slices.Contains(failFunctions, c.name) {
		f.wrong(name, "%s does not give a string here; %q do", c.name, failFunctions)
	}
	return expr
}

func (b *failBody) run(s *step, input any) (any, error) {
	e := &Error{b.name, b.cause}
	for _, by := range []struct {
		field string
		expr  expression
		into  *string
	}{{"ErrorPath", b.namePath, &e.Name}, {"CausePath", b.causePath, &e.Cause}} {
		if by.expr == nil {
			continue
		}
		v, err := templateExpression{by.field, by.expr}.fill(s.scope(input))
		if err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok {
			return nil, runtimeError("The %s field must give a string, not %s", by.field, typeName(v))
		}
		*by.into = text
	}
	return nil, toFailure(e)
}

// waitBody is a Wait state, by one of its four fields.
type waitBody struct {
	seconds                    time.Duration
	until                      time.Time
	secondsPath, timestampPath *path
}

func compileWait(_ *compiler, f *fields) body {
	f.oneOf("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
	w := &waitBody{secondsPath: f.onePlace("SecondsPath"), timestampPath: f.onePlace("TimestampPath")}
	n, _ := f.integer("Seconds", 0, maxSeconds)
	w.seconds = time.Duration(n) * time.Second
	if s, ok := f.string("Timestamp"); ok {
		t, err := parseTimestamp(s)
		if err != nil {
			f.wrong("Timestamp", "%v", err)
		}
		w.until = t
	}
	return w
}

func (b *waitBody) run(s *step, input any) (any, error) {
	d, err := b.duration(s)
	if err != nil {
		return nil, err
	}
	if d > 0 {
		if err := s.r.clock.Sleep(s.ctx, d); err != nil {
			return nil, err
		}
	}
	return input, nil
}

// duration is how long to wait from now. A Wait that goes on after a resume has waited since it was entered.
func (b *waitBody) duration(s *step) (time.Duration, error) {
	now := s.r.clock.Now()
	d := b.seconds
	until := b.until
	var err error
	switch {
	case b.secondsPath != nil:
		d, err = secondsAt(s, b.secondsPath, "SecondsPath")
	case b.timestampPath != nil:
		until, err = timestampAt(s, b.timestampPath)
	}
	switch {
	case err != nil:
		return 0, err
	case !until.IsZero():
		return until.Sub(now), nil
	case s.entered:
		return d - now.Sub(s.since), nil
	}
	return d, nil
}

func timestampAt(s *step, p *path) (time.Time, error) {
	v, err := s.atInput(p)
	if err != nil {
		return time.Time{}, runtimeError("The TimestampPath parameter does not reference an input value: %s", p.text)
	}
	text, ok := v.(string)
	if !ok {
		return time.Time{}, runtimeError("The TimestampPath parameter must be a string, %s is %s", p.text, typeName(v))
	}
	t, err := parseTimestamp(text)
	if err != nil {
		return time.Time{}, runtimeError("The TimestampPath parameter is not a timestamp: %s", p.text)
	}
	return t, nil
}

// parseTimestamp reads the RFC 3339 profile of the language, with capital T and Z.
func parseTimestamp(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("%q is not a timestamp like 2026-01-02T03:04:05Z", clip(s, 64))
	}
	return t, nil
}

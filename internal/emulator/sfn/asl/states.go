package asl

import (
	"fmt"
	"time"
)

var waitSeconds = setting{"Seconds", maxSeconds, true}

// runWait waits; after a restart, for what is left of the time since the state was entered.
func (s *step) runWait(input any) (any, error) {
	seconds, err := waitSeconds.at(s, s.Seconds, s.SecondsPath)
	if err != nil {
		return nil, err
	}
	d := time.Duration(seconds) * time.Second
	if !s.since.IsZero() {
		d -= s.r.clock.Now().Sub(s.since)
	}
	if d > 0 {
		if err := s.r.clock.Sleep(s.ctx, d); err != nil {
			return nil, err
		}
	}
	return input, nil
}

// textExpression is a path or a function that gives a string.
type textExpression struct{ expression }

// UnmarshalText reads and checks the expression.
func (t *textExpression) UnmarshalText(text []byte) (err error) {
	t.expression, err = parseExpression(string(text))
	if c, ok := t.expression.(*call); ok && c.name != "States.JsonToString" {
		err = fmt.Errorf("%s does not give a string here", c.name)
	}
	return err
}

func (s *step) runFail(input any) (any, error) {
	name, err := s.text(s.Error, "ErrorPath", s.ErrorPath, input)
	if err != nil {
		return nil, err
	}
	cause, err := s.text(s.Cause, "CausePath", s.CausePath, input)
	if err != nil {
		return nil, err
	}
	return nil, toFailure(&Error{name, cause})
}

// text is a text of the definition, or what the expression in the field gives.
func (s *step) text(given, field string, by *textExpression, input any) (string, error) {
	if by == nil {
		return given, nil
	}
	v, err := templateExpression{field, by.expression}.eval(s.scope(input))
	if err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok {
		return "", runtimeError("The %s field must give a string, not %s", field, typeName(v))
	}
	return text, nil
}

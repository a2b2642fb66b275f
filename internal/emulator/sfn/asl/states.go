package asl

import "time"

// passBody is a Pass state, whose result is its effective input.
type passBody struct{}

func compilePass(*compiler, *fields) body { return passBody{} }

func (passBody) run(_ *step, input any) (any, error) { return input, nil }

// succeedBody is a Succeed state.
type succeedBody struct{}

func compileSucceed(*compiler, *fields) body { return succeedBody{} }

func (succeedBody) run(_ *step, input any) (any, error) { return input, nil }

// failBody is a Fail state.
type failBody struct {
	name, cause         string
	namePath, causePath expression // nil: not by path
}

func compileFail(_ *compiler, f *fields) body {
	f.atMostOne("Error", "ErrorPath")
	f.atMostOne("Cause", "CausePath")
	return &failBody{
		name: f.text("Error"), cause: f.text("Cause"),
		namePath: failPath(f, "ErrorPath"), causePath: failPath(f, "CausePath"),
	}
}

// failPath is a path or a function that gives a string.
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
	if c, ok := expr.(*call); ok && c.name != "States.JsonToString" {
		f.wrong(name, "%s does not give a string here", c.name)
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

// waitBody is a Wait state.
type waitBody struct{ seconds setting }

func compileWait(_ *compiler, f *fields) body {
	w := &waitBody{f.setting("Seconds", 0, maxSeconds, true)}
	if !w.seconds.isSet() && !f.has("Seconds") && !f.has("SecondsPath") {
		f.problem("needs Seconds or SecondsPath")
	}
	return w
}

// run waits; after a restart, for what is left of the time since the state was entered.
func (b *waitBody) run(s *step, input any) (any, error) {
	seconds, err := b.seconds.at(s)
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

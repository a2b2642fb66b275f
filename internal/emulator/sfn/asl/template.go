package asl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// template is a payload template (Parameters, ResultSelector): JSON in which the value of a field whose name ends in .$ is
// a path or an intrinsic function. Such a field is held by its name without .$, and its value as a templateExpression.
type template struct{ value any }

// templateExpression is the value of a field whose name ends in .$.
type templateExpression struct {
	field string // with .$
	expr  expression
}

// UnmarshalJSON reads and checks a template.
func (t *template) UnmarshalJSON(text []byte) error {
	v, err := decodeJSON(text)
	if err == nil {
		t.value, err = compileTemplate(v)
	}
	return err
}

func compileTemplate(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = compileTemplate(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *object:
		out := newObject(len(v.names))
		for _, name := range v.names {
			value, err := compileField(name, v.values[name])
			if err != nil {
				return nil, err
			}
			plain := strings.TrimSuffix(name, ".$")
			if _, twice := out.get(plain); twice {
				return nil, fmt.Errorf("the field %q is there twice, as it is and with .$", plain)
			}
			out.set(plain, value)
		}
		return out, nil
	}
	return v, nil
}

func compileField(name string, v any) (any, error) {
	if !strings.HasSuffix(name, ".$") {
		return compileTemplate(v)
	}
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("the field %q must hold a path or an intrinsic function, not %s", name, typeName(v))
	}
	expr, err := parseExpression(text)
	if err != nil {
		return nil, fmt.Errorf("the field %q: %w", name, err)
	}
	return templateExpression{name, expr}, nil
}

// checkNames wants the template to be an object that has the first field, and no others than these.
func (t *template) checkNames(required string, optional ...string) error {
	if t == nil {
		return wrong("Parameters", "is missing: %s is needed", required)
	}
	o, ok := t.value.(*object)
	if !ok {
		return wrong("Parameters", "must be an object: %s is needed", required)
	}
	var problems []error
	for _, name := range o.names {
		if name != required && !slices.Contains(optional, name) {
			problems = append(problems, wrong("Parameters", "the parameter %q is not supported", name))
		}
	}
	if !slices.Contains(o.names, required) {
		problems = append(problems, wrong("Parameters", "%s is missing", required))
	}
	return errors.Join(problems...)
}

// fill is the template with its paths and functions replaced by their values.
func (t *template) fill(e *scope) (any, error) { return fill(t.value, e) }

func fill(v any, e *scope) (any, error) {
	var err error
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			if out[i], err = fill(v[i], e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *object:
		out := newObject(len(v.names))
		for _, name := range v.names {
			value, err := fill(v.values[name], e)
			if err != nil {
				return nil, err
			}
			out.set(name, value)
		}
		return out, nil
	case templateExpression:
		return v.eval(e)
	}
	return v, nil
}

func (t templateExpression) eval(e *scope) (any, error) {
	v, err := t.expr.eval(e)
	if p, ok := t.expr.(*path); ok && errors.Is(err, errNotFound) {
		return nil, runtimeError("The JSONPath '%s' specified for the field '%s' could not be found in %s",
			p.text, t.field, p.where())
	}
	if err != nil {
		return nil, runtimeError("The function in the field '%s' had the following error: %v", t.field, err)
	}
	return v, nil
}

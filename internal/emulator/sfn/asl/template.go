package asl

import (
	"errors"
	"fmt"
	"strings"
)

// template is a compiled payload template (Parameters, ResultSelector): JSON in which the value of a
// field whose name ends in .$ is a path or an intrinsic function.
type template interface {
	// fill is the template with its paths and functions replaced by their values.
	fill(e *scope) (any, error)
}

type constant struct{ value any }

func (c constant) fill(*scope) (any, error) { return c.value, nil }

type templateArray []template

func (a templateArray) fill(e *scope) (any, error) {
	out := make([]any, len(a))
	for i, t := range a {
		v, err := t.fill(e)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

type templateField struct {
	name  string // without .$
	value template
}

type templateObject []templateField

func (o templateObject) fill(e *scope) (any, error) {
	out := newObject(len(o))
	for _, f := range o {
		v, err := f.value.fill(e)
		if err != nil {
			return nil, err
		}
		out.set(f.name, v)
	}
	return out, nil
}

// templateExpression is the value of a field whose name ends in .$.
type templateExpression struct {
	field string // with .$
	expr  expression
}

func (t templateExpression) fill(e *scope) (any, error) {
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

func compileTemplate(v any) (template, error) {
	switch v := v.(type) {
	case []any:
		out := make(templateArray, len(v))
		for i, e := range v {
			t, err := compileTemplate(e)
			if err != nil {
				return nil, err
			}
			out[i] = t
		}
		return out, nil
	case *object:
		return compileObject(v)
	default:
		return constant{v}, nil
	}
}

func compileObject(o *object) (template, error) {
	out := make(templateObject, 0, len(o.names))
	seen := map[string]bool{}
	for _, name := range o.names {
		t, err := compileField(name, o.values[name])
		if err != nil {
			return nil, err
		}
		plain := strings.TrimSuffix(name, ".$")
		if seen[plain] {
			return nil, fmt.Errorf("the field %q is there twice, as it is and with .$", plain)
		}
		seen[plain] = true
		out = append(out, templateField{plain, t})
	}
	return out, nil
}

func compileField(name string, v any) (template, error) {
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

package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// An expression is what a field whose name ends in .$ may hold: a path, or a call of one intrinsic function.
type expression interface {
	eval(e *scope) (any, error)
}

// call is an intrinsic function with its arguments, each a path or an integer.
type call struct {
	name string
	args []expression
}

// literal is an integer within a call.
type literal struct{ value any }

func (l literal) eval(*scope) (any, error) { return l.value, nil }

// function is an intrinsic function of so many arguments.
type function struct {
	args int
	run  func(args []any) (any, error)
}

// functions are the intrinsic functions that definitions may call.
var functions = map[string]function{
	"States.JsonToString": {1, func(args []any) (any, error) { return encodeJSON(args[0]), nil }},
	"States.MathAdd":      {2, mathAdd},
	"States.StringToJson": {1, stringToJSON},
}

var callText = regexp.MustCompile(`^(States\.\w+)\((.*)\)$`)

// parseExpression reads a path or a call.
func parseExpression(text string) (expression, error) {
	if !strings.HasPrefix(text, "States.") {
		return parsePath(text)
	}
	parts := callText.FindStringSubmatch(text)
	if parts == nil {
		return nil, fmt.Errorf("%q is not a call of a function", text)
	}
	f, ok := functions[parts[1]]
	if !ok {
		return nil, fmt.Errorf("the function %s is not supported; %q are", parts[1], slices.Sorted(maps.Keys(functions)))
	}
	c := &call{name: parts[1]}
	for arg := range strings.SplitSeq(parts[2], ",") {
		a, err := parseArgument(strings.TrimSpace(arg))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		c.args = append(c.args, a)
	}
	if len(c.args) != f.args {
		return nil, fmt.Errorf("%q: %s takes %d arguments", text, c.name, f.args)
	}
	return c, nil
}

func parseArgument(text string) (expression, error) {
	if strings.HasPrefix(text, "$") {
		return parsePath(text)
	}
	n := json.Number(text)
	if _, err := n.Int64(); err != nil {
		return nil, fmt.Errorf("the argument %q is neither a path nor an integer", text)
	}
	return literal{n}, nil
}

func (c *call) eval(e *scope) (any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		v, err := a.eval(e)
		if errors.Is(err, errNotFound) {
			err = fmt.Errorf("the path '%s' could not be found", a.(*path).text)
		}
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	v, err := functions[c.name].run(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return v, nil
}

// mathAdd adds two integers of 32 bits.
func mathAdd(args []any) (any, error) {
	var sum int64
	for i, a := range args {
		n, isNumber := a.(json.Number)
		v, ok := toInteger(n)
		if !isNumber || !ok || v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("argument %d must be an integer of 32 bits, not %s", i+1, typeName(a))
		}
		sum += v
	}
	return number(sum), nil
}

func stringToJSON(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("argument 1 must be a string, not %s", typeName(args[0]))
	}
	v, err := decodeJSON([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("the string is not JSON: %w", err)
	}
	return v, nil
}

package asl

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// choiceBody is a Choice state.
type choiceBody struct {
	rules     []choiceRule
	otherwise string // Default; empty: none
}

type choiceRule struct {
	holds test
	next  string
}

// test is asked whether a rule holds.
type test func(e *scope) (bool, error)

// maxRuleDepth bounds the nesting of And.
const maxRuleDepth = 32

func compileChoice(c *compiler, f *fields) body {
	b := &choiceBody{}
	if s, ok := f.string("Default"); ok {
		b.otherwise = s
		if s == "" {
			f.wrong("Default", "is empty")
		}
	}
	rules, ok := f.array("Choices")
	if !ok && !f.has("Choices") {
		f.wrong("Choices", "is missing")
	}
	for i, v := range rules {
		if rule, ok := c.object(fmt.Sprintf("%s: Choices[%d]", f.where, i), v); ok {
			b.rules = append(b.rules, choiceRule{next: rule.required("Next"), holds: compileTest(rule, 0)})
			rule.done()
		}
	}
	return b
}

func (b *choiceBody) run(s *step, input any) (any, error) {
	scope := s.scope(input)
	for _, r := range b.rules {
		ok, err := r.holds(scope)
		if err != nil {
			return nil, err
		}
		if ok {
			s.next = r.next
			return input, nil
		}
	}
	if b.otherwise == "" {
		return nil, runtimeError("Failed to transition out of the state. The state does not point to a next state.")
	}
	s.next = b.otherwise
	return input, nil
}

// compileTest compiles the operator of a rule: exactly one.
func compileTest(f *fields, depth int) test {
	f.text("Comment")
	if depth > maxRuleDepth {
		f.problem("nested more than %d deep", maxRuleDepth)
		return nil
	}
	var found []string
	for _, name := range f.o.names {
		if name == "And" || operators[name] != nil {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		f.problem("needs exactly one operator, has %d of And and %q; its fields are %q", len(found),
			slices.Sorted(maps.Keys(operators)), f.o.names)
		for _, name := range f.o.names {
			f.take(name)
		}
		return nil
	}
	if found[0] == "And" {
		return compileAnd(f, depth)
	}
	return compileOperator(f, found[0])
}

func compileAnd(f *fields, depth int) test {
	var tests []test
	rules, _ := f.array("And")
	for i, v := range rules {
		if rule, ok := f.c.object(fmt.Sprintf("%s: And[%d]", f.where, i), v); ok {
			tests = append(tests, compileTest(rule, depth+1))
			rule.done()
		}
	}
	return func(e *scope) (bool, error) {
		for _, t := range tests {
			if ok, err := t(e); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}
}

// compileOperator compiles a data test: Variable and one operator.
func compileOperator(f *fields, name string) test {
	variable := f.path("Variable")
	if !f.has("Variable") {
		f.wrong("Variable", "is missing")
	}
	compare := operators[name](f, name)
	if variable == nil || compare == nil {
		return nil
	}
	return func(e *scope) (bool, error) {
		v, err := variable.eval(e)
		if err != nil && name != "IsPresent" {
			return false, runtimeError("Invalid path '%s': The choice state's condition path references an invalid value.",
				variable.text)
		}
		return compare(v, err == nil), nil
	}
}

// comparison is asked of the value of a rule's Variable; present is false when there is none, which only IsPresent
// sees.
type comparison func(v any, present bool) bool

// operators compiles a rule's operator, by its name.
var operators = map[string]func(f *fields, name string) comparison{
	"BooleanEquals": func(f *fields, name string) comparison {
		want, _ := f.bool(name)
		return func(v any, _ bool) bool { b, ok := v.(bool); return ok && b == want }
	},
	"IsPresent": func(f *fields, name string) comparison {
		want, _ := f.bool(name)
		return func(_ any, present bool) bool { return present == want }
	},
	"IsString": func(f *fields, name string) comparison {
		want, _ := f.bool(name)
		return func(v any, _ bool) bool { _, ok := v.(string); return ok == want }
	},
	"NumericEquals":      numeric(func(v, want float64) bool { return v == want }),
	"NumericGreaterThan": numeric(func(v, want float64) bool { return v > want }),
	"StringEquals": func(f *fields, name string) comparison {
		want, _ := f.string(name)
		return func(v any, _ bool) bool { s, ok := v.(string); return ok && s == want }
	},
	"StringMatches": stringMatches,
}

func numeric(holds func(v, want float64) bool) func(f *fields, name string) comparison {
	return func(f *fields, name string) comparison {
		given, _ := f.take(name)
		n, ok := given.(json.Number)
		if !ok {
			f.wrong(name, "must be a number, not %s", typeName(given))
			return nil
		}
		want, _ := n.Float64()
		return func(v any, _ bool) bool {
			n, ok := v.(json.Number)
			if !ok {
				return false
			}
			value, _ := n.Float64()
			return holds(value, want)
		}
	}
}

// stringMatches compiles a pattern in which * stands for any text.
func stringMatches(f *fields, name string) comparison {
	pattern, ok := f.string(name)
	if !ok {
		return nil
	}
	if strings.Contains(pattern, `\`) {
		f.wrong(name, `a pattern with a backslash is not supported`)
	}
	pieces := strings.Split(pattern, "*")
	return func(v any, _ bool) bool {
		s, ok := v.(string)
		return ok && matchPieces(s, pieces)
	}
}

// matchPieces says whether s is the pieces in their order with any text between them.
func matchPieces(s string, pieces []string) bool {
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return s == first
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	if s, ok = strings.CutSuffix(s, last); !ok {
		return false
	}
	for _, p := range pieces[1 : len(pieces)-1] {
		if _, s, ok = strings.Cut(s, p); !ok {
			return false
		}
	}
	return true
}

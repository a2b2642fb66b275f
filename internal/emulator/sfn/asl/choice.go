package asl

import (
	"fmt"
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

// maxRuleDepth bounds the nesting of And, Or and Not.
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
		if name == "And" || name == "Or" || name == "Not" || operators[name] != nil {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		f.problem("needs exactly one operator, has %d: %q; its fields are %q", len(found), found, f.o.names)
		for _, name := range f.o.names {
			f.take(name)
		}
		return nil
	}
	switch name := found[0]; name {
	case "And":
		return all(nested(f, name, depth), true)
	case "Or":
		return all(nested(f, name, depth), false)
	case "Not":
		return not(f, depth)
	default:
		return compileOperator(f, name)
	}
}

// all is And (until one does not hold) or Or (until one holds).
func all(tests []test, and bool) test {
	return func(e *scope) (bool, error) {
		for _, t := range tests {
			if ok, err := t(e); err != nil || ok != and {
				return ok, err
			}
		}
		return and, nil
	}
}

func nested(f *fields, name string, depth int) []test {
	var tests []test
	rules, _ := f.array(name)
	for i, v := range rules {
		if rule, ok := f.c.object(fmt.Sprintf("%s: %s[%d]", f.where, name, i), v); ok {
			tests = append(tests, compileTest(rule, depth+1))
			rule.done()
		}
	}
	return tests
}

func not(f *fields, depth int) test {
	v, _ := f.take("Not")
	rule, ok := f.c.object(f.where+": Not", v)
	if !ok {
		return nil
	}
	t := compileTest(rule, depth+1)
	rule.done()
	return func(e *scope) (bool, error) {
		ok, err := t(e)
		return !ok, err
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
			return false, invalidPath(variable)
		}
		return compare(e, v, err == nil)
	}
}

func invalidPath(p *path) error {
	return runtimeError("Invalid path '%s': The choice state's condition path references an invalid value.", p.text)
}

package asl

import (
	"encoding/json"
	"strings"
)

// filter is [?(…)]. Of an array it gives the elements for which the condition holds; of an object, the object itself.
type filter struct{ holds condition }

// condition is asked of one value, which @ stands for.
type condition func(e *scope, at any) bool

// operand gives a value; false when its path finds nothing.
type operand func(e *scope, at any) (any, bool)

func (filter) definite() bool { return false }

func (f filter) apply(e *scope, v any, yield func(any)) bool {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			if f.holds(e, element) {
				yield(element)
			}
		}
		return true
	case *object:
		if f.holds(e, v) {
			yield(v)
		}
		return true
	default:
		return false
	}
}

// maxFilterDepth bounds the nesting of a filter's conditions.
const maxFilterDepth = 32

func (p *parser) filter() (segment, error) {
	p.spaces()
	if !p.accept("(") {
		return nil, p.errorf("( is missing after ?")
	}
	c, err := p.or(0)
	if err != nil {
		return nil, err
	}
	p.spaces()
	if !p.accept(")") {
		return nil, p.errorf(") is missing, or an operator that is not supported (there are == != < <= > >= && || !)")
	}
	return filter{c}, nil
}

func (p *parser) or(depth int) (condition, error) {
	return p.chain("||", depth, p.and, func(a, b condition) condition {
		return func(e *scope, at any) bool { return a(e, at) || b(e, at) }
	})
}

func (p *parser) and(depth int) (condition, error) {
	return p.chain("&&", depth, p.unary, func(a, b condition) condition {
		return func(e *scope, at any) bool { return a(e, at) && b(e, at) }
	})
}

func (p *parser) chain(
	operator string, depth int, next func(int) (condition, error), join func(a, b condition) condition,
) (condition, error) {
	all, err := next(depth)
	for err == nil {
		p.spaces()
		if !p.accept(operator) {
			break
		}
		var c condition
		if c, err = next(depth); err == nil {
			all = join(all, c)
		}
	}
	return all, err
}

func (p *parser) unary(depth int) (condition, error) {
	if depth > maxFilterDepth {
		return nil, p.errorf("nested more than %d deep", maxFilterDepth)
	}
	p.spaces()
	switch {
	case p.accept("!"):
		c, err := p.unary(depth + 1)
		return func(e *scope, at any) bool { return !c(e, at) }, err
	case p.accept("("):
		c, err := p.or(depth + 1)
		p.spaces()
		if err == nil && !p.accept(")") {
			err = p.errorf(") is missing")
		}
		return c, err
	}
	return p.comparison()
}

// comparisons are in the order in which they are tried: <= before <.
var comparisons = []struct {
	sign  string
	holds func(order int) bool
}{
	{"<=", func(o int) bool { return o <= 0 }},
	{">=", func(o int) bool { return o >= 0 }},
	{"<", func(o int) bool { return o < 0 }},
	{">", func(o int) bool { return o > 0 }},
}

func (p *parser) comparison() (condition, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.spaces()
	var compare func(a any, aok bool, b any, bok bool) bool
	switch {
	case p.accept("=="):
		compare = func(a any, aok bool, b any, bok bool) bool { return aok == bok && equal(a, b) }
	case p.accept("!="):
		compare = func(a any, aok bool, b any, bok bool) bool { return aok != bok || !equal(a, b) }
	default:
		if compare = p.ordering(); compare == nil {
			return func(e *scope, at any) bool { _, ok := left(e, at); return ok }, nil
		}
	}
	right, err := p.operand()
	return func(e *scope, at any) bool {
		a, aok := left(e, at)
		b, bok := right(e, at)
		return compare(a, aok, b, bok)
	}, err
}

func (p *parser) ordering() func(a any, aok bool, b any, bok bool) bool {
	for _, c := range comparisons {
		if p.accept(c.sign) {
			return func(a any, _ bool, b any, _ bool) bool {
				order, ok := compareValues(a, b)
				return ok && c.holds(order)
			}
		}
	}
	return nil
}

// compareValues orders two numbers or two strings; nothing else has an order.
func compareValues(a, b any) (int, bool) {
	switch a := a.(type) {
	case json.Number:
		if b, ok := b.(json.Number); ok {
			return compareNumbers(a, b), true
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), true
		}
	}
	return 0, false
}

func (p *parser) operand() (operand, error) {
	p.spaces()
	switch c := p.next(); c {
	case '@':
		p.pos++
		segments, err := p.segments()
		found := newPath("@", false, segments)
		return func(e *scope, at any) (any, bool) { return orMissing(found.evalFrom(e, at)) }, err
	case '$':
		found, err := p.path()
		return func(e *scope, _ any) (any, bool) { return orMissing(found.eval(e)) }, err
	case '\'', '"':
		s, err := p.quoted()
		return func(*scope, any) (any, bool) { return s, true }, err
	default:
		v, err := p.scalar()
		return func(*scope, any) (any, bool) { return v, true }, err
	}
}

func orMissing(v any, err error) (any, bool) { return v, err == nil }

// scalar reads a number, true, false or null.
func (p *parser) scalar() (any, error) {
	start := p.pos
	for c := p.next(); c != 0 && strings.IndexByte(" ,)]=<>!&|(", c) < 0; c = p.next() {
		p.pos++
	}
	word := p.text[start:p.pos]
	v, err := decodeJSON([]byte(word))
	if _, isString := v.(string); err != nil || isString || word == "" {
		p.pos = start
		return nil, p.errorf("%q is not a path, a quoted string, a number, true, false or null", p.rest(10))
	}
	return v, nil
}

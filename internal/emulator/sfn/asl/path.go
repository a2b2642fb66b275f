package asl

import "errors"

// path is a compiled JSONPath in the dialect of Step Functions, which is that of the Java library Jayway: a definite
// path (names and indexes only) gives one value and fails when nothing is there; any other gives an array of what it
// found in document order, perhaps empty, and fails only when its definite beginning finds nothing. No Go library has
// these rules, keeps numbers as they are written and gives matches in document order.
type path struct {
	text     string
	context  bool // starts at the context object: $$
	segments []segment
	definite int // how many of the first segments are definite
}

// segment is one step of a path.
type segment interface {
	// definite says that it gives one value at most.
	definite() bool
	// apply calls yield with what the step finds in v. found is false when v is of the wrong kind or has no such
	// member.
	apply(e *scope, v any, yield func(any)) (found bool)
}

// scope is what expressions of one state can see.
type scope struct {
	input   any     // $
	context *object // $$
}

var errNotFound = errors.New("not found")

func newPath(text string, context bool, segments []segment) *path {
	p := &path{text: text, context: context, segments: segments}
	for p.definite < len(segments) && segments[p.definite].definite() {
		p.definite++
	}
	return p
}

func (p *path) isDefinite() bool { return p.definite == len(p.segments) }

// isReference says that p is a Reference Path of the specification: it names one place.
func (p *path) isReference() bool {
	for _, s := range p.segments {
		switch s := s.(type) {
		case member:
		case index:
			if s < 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (p *path) eval(e *scope) (any, error) {
	if p.context {
		return p.evalFrom(e, e.context)
	}
	return p.evalFrom(e, e.input)
}

func (p *path) evalFrom(e *scope, v any) (any, error) {
	for _, s := range p.segments[:p.definite] {
		var next any
		if !s.apply(e, v, func(f any) { next = f }) {
			return nil, errNotFound
		}
		v = next
	}
	if p.isDefinite() {
		return v, nil
	}
	return find(e, v, p.segments[p.definite:])
}

// find applies segments of which the first is indefinite. That one must suit the value it is applied to; the ones
// after it pass over what they do not suit.
func find(e *scope, v any, segments []segment) (any, error) {
	found := []any{}
	if !segments[0].apply(e, v, func(f any) { found = append(found, f) }) {
		return nil, errNotFound
	}
	for _, s := range segments[1:] {
		next := []any{}
		for _, f := range found {
			s.apply(e, f, func(f any) { next = append(next, f) })
		}
		found = next
	}
	return found, nil
}

// member is .name or ['name'].
type member string

func (member) definite() bool { return true }

func (m member) apply(_ *scope, v any, yield func(any)) bool {
	o, ok := v.(*object)
	if !ok {
		return false
	}
	f, ok := o.get(string(m))
	if ok {
		yield(f)
	}
	return ok
}

// index is [n]; a negative one counts from the end.
type index int

func (index) definite() bool { return true }

func (i index) apply(_ *scope, v any, yield func(any)) bool {
	a, ok := v.([]any)
	n := int(i)
	if n < 0 {
		n += len(a)
	}
	if !ok || n < 0 || n >= len(a) {
		return false
	}
	yield(a[n])
	return true
}

// union is ['a','b'] or [1,2]: what is not there is passed over.
type union []segment

func (union) definite() bool { return false }

func (u union) apply(e *scope, v any, yield func(any)) bool {
	switch u[0].(type) {
	case member:
		if _, ok := v.(*object); !ok {
			return false
		}
	default:
		if _, ok := v.([]any); !ok {
			return false
		}
	}
	for _, s := range u {
		s.apply(e, v, yield)
	}
	return true
}

// slice is [from:to]; either end may be missing or count from the end.
type slice struct{ from, to *int }

func (slice) definite() bool { return false }

func (s slice) apply(_ *scope, v any, yield func(any)) bool {
	a, ok := v.([]any)
	if !ok {
		return false
	}
	from, to := bound(s.from, 0, len(a)), bound(s.to, len(a), len(a))
	for i := from; i < to; i++ {
		yield(a[i])
	}
	return true
}

func bound(n *int, missing, length int) int {
	if n == nil {
		return missing
	}
	if *n < 0 {
		return max(0, length+*n)
	}
	return min(*n, length)
}

// wildcard is .* or [*].
type wildcard struct{}

func (wildcard) definite() bool { return false }

func (wildcard) apply(_ *scope, v any, yield func(any)) bool {
	children(v, yield)
	return true
}

func children(v any, yield func(any)) {
	switch v := v.(type) {
	case []any:
		for _, f := range v {
			yield(f)
		}
	case *object:
		for _, n := range v.names {
			yield(v.values[n])
		}
	}
}

// descent is ..x: its step applied to a value and to all objects and arrays within it, outer ones first.
type descent struct{ step segment }

func (descent) definite() bool { return false }

func (d descent) apply(e *scope, v any, yield func(any)) bool {
	switch v.(type) {
	case []any, *object:
		d.visit(e, v, yield)
		children(v, func(f any) { d.apply(e, f, yield) })
	}
	return true
}

// visit applies the step to one object or array. A filter is asked of objects only, each of which is visited: asking
// it of their arrays as well would find them twice.
func (d descent) visit(e *scope, v any, yield func(any)) {
	if _, isFilter := d.step.(filter); isFilter {
		if _, isArray := v.([]any); isArray {
			return
		}
	}
	d.step.apply(e, v, yield)
}

package asl

import "fmt"

// setPath is v with the value at p, a Reference Path, replaced. Objects that are missing on the way are made; anything
// else in the way is an error.
func setPath(v any, segments []segment, value any) (any, error) {
	if len(segments) == 0 {
		return value, nil
	}
	switch s := segments[0].(type) {
	case member:
		o, ok := v.(*object)
		if !ok {
			return nil, fmt.Errorf("member %q of %s", string(s), typeName(v))
		}
		old, ok := o.get(string(s))
		if !ok {
			old = newObject(1)
		}
		changed, err := setPath(old, segments[1:], value)
		if err != nil {
			return nil, err
		}
		return o.with(string(s), changed), nil
	default:
		return setIndex(v, int(s.(index)), segments[1:], value)
	}
}

func setIndex(v any, n int, rest []segment, value any) (any, error) {
	a, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("element %d of %s", n, typeName(v))
	}
	if n >= len(a) {
		return nil, fmt.Errorf("element %d of an array of %d", n, len(a))
	}
	changed, err := setPath(a[n], rest, value)
	if err != nil {
		return nil, err
	}
	c := append([]any(nil), a...)
	c[n] = changed
	return c, nil
}

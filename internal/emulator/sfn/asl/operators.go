package asl

import (
	"encoding/json"
	"strings"
	"time"
)

// comparison is asked of the value of a rule's Variable; present is false when there is none, which only IsPresent
// sees.
type comparison func(e *scope, v any, present bool) (bool, error)

// operators compiles a rule's operator, by its name.
var operators = map[string]func(f *fields, name string) comparison{}

func init() {
	for suffix, holds := range map[string]func(order int) bool{
		"Equals":            func(o int) bool { return o == 0 },
		"LessThan":          func(o int) bool { return o < 0 },
		"GreaterThan":       func(o int) bool { return o > 0 },
		"LessThanEquals":    func(o int) bool { return o <= 0 },
		"GreaterThanEquals": func(o int) bool { return o >= 0 },
	} {
		for kind, order := range map[string]ordering{
			"String": orderStrings, "Numeric": orderNumbers, "Timestamp": orderTimestamps,
		} {
			ordered(kind+suffix, order, holds)
		}
	}
	ordered("BooleanEquals", orderBooleans, func(o int) bool { return o == 0 })
	operators["StringMatches"] = stringMatches
	for name, is := range map[string]func(v any, present bool) bool{
		"IsPresent":   func(_ any, present bool) bool { return present },
		"IsNull":      func(v any, _ bool) bool { return v == nil },
		"IsString":    func(v any, _ bool) bool { _, ok := v.(string); return ok },
		"IsNumeric":   func(v any, _ bool) bool { _, ok := v.(json.Number); return ok },
		"IsBoolean":   func(v any, _ bool) bool { _, ok := v.(bool); return ok },
		"IsTimestamp": func(v any, _ bool) bool { _, ok := orderTimestamps(v, v); return ok },
	} {
		operators[name] = func(f *fields, name string) comparison {
			want, _ := f.bool(name)
			return func(_ *scope, v any, present bool) (bool, error) { return is(v, present) == want, nil }
		}
	}
}

// ordering compares two values of its kind; false when one is of another kind.
type ordering func(a, b any) (int, bool)

// ordered adds the operator name and its twin whose value is a path.
func ordered(name string, order ordering, holds func(int) bool) {
	compare := func(a, b any) bool {
		o, ok := order(a, b)
		return ok && holds(o)
	}
	operators[name] = func(f *fields, name string) comparison {
		want, _ := f.take(name)
		if _, ok := order(want, want); !ok {
			f.wrong(name, "must not be %s", typeName(want))
			return nil
		}
		return func(_ *scope, v any, _ bool) (bool, error) { return compare(v, want), nil }
	}
	operators[name+"Path"] = func(f *fields, name string) comparison {
		p := f.path(name)
		if p == nil {
			return nil
		}
		return func(e *scope, v any, _ bool) (bool, error) {
			want, err := p.eval(e)
			if err != nil {
				return false, invalidPath(p)
			}
			return compare(v, want), nil
		}
	}
}

func orderStrings(a, b any) (int, bool) {
	s, aok := a.(string)
	t, bok := b.(string)
	return strings.Compare(s, t), aok && bok
}

func orderNumbers(a, b any) (int, bool) {
	m, aok := a.(json.Number)
	n, bok := b.(json.Number)
	if !aok || !bok {
		return 0, false
	}
	return compareNumbers(m, n), true
}

func orderBooleans(a, b any) (int, bool) {
	x, aok := a.(bool)
	y, bok := b.(bool)
	if x == y {
		return 0, aok && bok
	}
	return 1, aok && bok
}

func orderTimestamps(a, b any) (int, bool) {
	s, aok := timestamp(a)
	t, bok := timestamp(b)
	return s.Compare(t), aok && bok
}

func timestamp(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, false
	}
	t, err := parseTimestamp(s)
	return t, err == nil
}

// stringMatches compiles a pattern in which * stands for any text, \* for an asterisk and \\ for a backslash.
func stringMatches(f *fields, name string) comparison {
	pattern, ok := f.string(name)
	if !ok {
		return nil
	}
	var pieces []string
	var piece strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			pieces = append(pieces, piece.String())
			piece.Reset()
		case c != '\\':
			piece.WriteByte(c)
		case i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			piece.WriteByte(pattern[i])
		default:
			f.wrong(name, `a backslash stands only before * and \`)
			return nil
		}
	}
	pieces = append(pieces, piece.String())
	return func(_ *scope, v any, _ bool) (bool, error) {
		s, ok := v.(string)
		return ok && matchPieces(s, pieces), nil
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

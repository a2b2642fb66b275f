package asl

import (
	"encoding/json"
	"math"
)

// setting is a number of the definition: given, found by a path in the state's input (the field of the same name with
// Path at its end), or left out.
type setting struct {
	name        string
	given       bool
	value       float64
	path        *path
	least, most float64
	whole       bool // only integers
}

func (f *fields) setting(name string, least, most float64, whole bool) setting {
	f.atMostOne(name, name+"Path")
	n := setting{name: name, least: least, most: most, whole: whole, path: f.path(name + "Path")}
	v, ok := f.take(name)
	if !ok {
		return n
	}
	if n.value, n.given = n.number(v); !n.given {
		f.wrong(name, "must be %s from %.0f to %.0f", n.kind(), least, most)
	}
	return n
}

func (n *setting) isSet() bool { return n.given || n.path != nil }

func (n *setting) kind() string {
	if n.whole {
		return "an integer"
	}
	return "a number"
}

func (n *setting) number(v any) (float64, bool) {
	text, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	value, err := text.Float64()
	return value, err == nil && value >= n.least && value <= n.most && (!n.whole || value == math.Trunc(value))
}

// at is the number for a state with this input; 0 when it is left out.
func (n *setting) at(s *step) (float64, error) {
	if n.path == nil {
		return n.value, nil
	}
	v, err := n.path.eval(s.scope(s.raw))
	if err != nil {
		return 0, runtimeError("The %sPath '%s' could not be found in %s", n.name, n.path.text, n.path.where())
	}
	value, ok := n.number(v)
	if !ok {
		return 0, runtimeError("The %sPath '%s' does not reference %s from %.0f to %.0f", n.name, n.path.text, n.kind(),
			n.least, n.most)
	}
	return value, nil
}

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
	n := setting{name: name, least: least, most: most, whole: whole, path: f.onePlace(name + "Path")}
	v, ok := f.take(name)
	if !ok {
		return n
	}
	if n.value, n.given = n.number(v); !n.given {
		f.wrong(name, "must be %s from %.0f to %.0f", n.kind(), least, most)
	}
	return n
}

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
	value, _ := toFloat(text).Float64()
	return value, value >= n.least && value <= n.most && (!n.whole || value == math.Trunc(value))
}

// at is the number for a state with this input; otherwise, when it is left out.
func (n *setting) at(s *step, otherwise float64) (float64, error) {
	if n.path == nil {
		if n.given {
			return n.value, nil
		}
		return otherwise, nil
	}
	v, err := s.atInput(n.path)
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

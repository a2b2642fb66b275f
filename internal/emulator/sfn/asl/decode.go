package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// texts are the fields that may be empty texts. All others of the kind are names, and empty when there is none.
var texts = []string{"Comment", "Error", "Cause"}

// decode reads the object into the struct that into points to, whose exported fields are named as the object's members
// are, to the letter. It reports every member that has no field, or is not one of the names if any are given.
func decode(text []byte, into any, names ...string) error {
	return decodeStruct(text, reflect.ValueOf(into).Elem(), names)
}

func decodeStruct(text []byte, into reflect.Value, names []string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("must be an object: %w", err)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(members)) {
		field, text := into.FieldByName(name), members[name]
		empty := string(text) == "null" && name != "ResultPath" ||
			string(text) == `""` && field.Kind() == reflect.String && !slices.Contains(texts, name)
		switch {
		case !field.CanSet() || names != nil && !slices.Contains(names, name):
			problems = append(problems, wrong(name, "is not supported here"))
		case empty:
			problems = append(problems, wrong(name, "is empty"))
		default:
			problems = append(problems, within(fmt.Sprintf("field %q", name), decodeValue(text, field)))
		}
	}
	return errors.Join(problems...)
}

// decodeValue reads structs, and slices of them, as decode does, and all else as encoding/json does.
func decodeValue(text []byte, into reflect.Value) error {
	t := into.Type()
	if _, itself := into.Addr().Interface().(json.Unmarshaler); t.Kind() == reflect.Struct && !itself {
		return decodeStruct(text, into, nil)
	}
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return json.Unmarshal(text, into.Addr().Interface())
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil {
		return err
	}
	var problems []error
	into.Set(reflect.MakeSlice(t, len(elements), len(elements)))
	for i, element := range elements {
		problems = append(problems, within(fmt.Sprint("element ", i), decodeValue(element, into.Index(i))))
	}
	return errors.Join(problems...)
}

// within says of each of the problems that err joins where it is.
func within(where string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, within(where, e))
		}
		return errors.Join(all...)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", where, err)
}

func wrong(field, format string, args ...any) error {
	return fmt.Errorf("field %q: %s", field, fmt.Sprintf(format, args...))
}

// maxSeconds is the largest number of seconds in a definition (AWS: a bit over three years).
const maxSeconds = 99_999_999

// seconds is a positive number of seconds; 0: none is given.
type seconds time.Duration

// UnmarshalJSON reads the number.
func (s *seconds) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 1 || n > maxSeconds {
		return fmt.Errorf("must be an integer from 1 to %d", maxSeconds)
	}
	*s = seconds(time.Duration(n) * time.Second)
	return nil
}

// setting is a number from 0 on that the definition gives, or finds by a path in the state's input: the field of the same
// name with Path at its end.
type setting struct {
	name  string
	most  float64
	whole bool // only integers
}

func (n setting) String() string {
	kind := "a number"
	if n.whole {
		kind = "an integer"
	}
	return fmt.Sprintf("%s from 0 to %.0f", kind, n.most)
}

func (n setting) allows(value float64) bool {
	return value >= 0 && value <= n.most && (!n.whole || value == math.Trunc(value))
}

func (n setting) check(given *float64, by *path) error {
	switch {
	case given != nil && by != nil:
		return wrong(n.name+"Path", "excludes %q", n.name)
	case given != nil && !n.allows(*given):
		return wrong(n.name, "must be %s", n)
	}
	return nil
}

// at is the number for a state with this input; 0 when it is left out.
func (n setting) at(s *step, given *float64, by *path) (float64, error) {
	if given != nil {
		return *given, nil
	}
	if by == nil {
		return 0, nil
	}
	v, err := by.eval(s.scope(s.raw))
	if err != nil {
		return 0, runtimeError("The %sPath '%s' could not be found in %s", n.name, by.text, by.where())
	}
	text, _ := v.(json.Number)
	value, err := text.Float64()
	if err != nil || !n.allows(value) {
		return 0, runtimeError("The %sPath '%s' does not reference %s", n.name, by.text, n)
	}
	return value, nil
}

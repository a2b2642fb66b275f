package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rule is a rule of a Choice state: And, or a Variable with one operator.
type rule struct {
	Comment  string
	Next     string // empty within And
	And      []rule
	Variable *path

	BooleanEquals, IsPresent, IsString *bool
	NumericEquals, NumericGreaterThan  *float64
	StringEquals, StringMatches        *string
}

func (s *state) checkChoices() error {
	var problems []error
	if len(s.Choices) == 0 {
		problems = append(problems, wrong("Choices", "is missing"))
	}
	for i, r := range s.Choices {
		err := r.check()
		if r.Next == "" {
			err = errors.Join(err, wrong("Next", "is missing"))
		}
		problems = append(problems, within(fmt.Sprintf("Choices[%d]", i), err))
	}
	return errors.Join(problems...)
}

func (r *rule) check() error {
	operators := 0
	for _, there := range []bool{
		len(r.And) > 0, r.BooleanEquals != nil, r.IsPresent != nil, r.IsString != nil, r.NumericEquals != nil,
		r.NumericGreaterThan != nil, r.StringEquals != nil, r.StringMatches != nil,
	} {
		if there {
			operators++
		}
	}
	var problems []error
	switch {
	case operators != 1:
		problems = append(problems, fmt.Errorf("needs exactly one operator, has %d", operators))
	case (r.Variable == nil) == (r.And == nil):
		problems = append(problems, wrong("Variable", "is missing, or beside And"))
	case r.StringMatches != nil && strings.Contains(*r.StringMatches, `\`):
		problems = append(problems, wrong("StringMatches", "a pattern with a backslash is not supported"))
	}
	for i, inner := range r.And {
		err := inner.check()
		if inner.Next != "" {
			err = errors.Join(err, wrong("Next", "is not supported within And"))
		}
		problems = append(problems, within(fmt.Sprintf("And[%d]", i), err))
	}
	return errors.Join(problems...)
}

// runChoice sets the next state.
func (s *step) runChoice(input any) (any, error) {
	scope := s.scope(input)
	for _, r := range s.Choices {
		ok, err := r.holds(scope)
		if err != nil {
			return nil, err
		}
		if ok {
			s.next = r.Next
			return input, nil
		}
	}
	if s.Default == "" {
		return nil, runtimeError("Failed to transition out of the state. The state does not point to a next state.")
	}
	s.next = s.Default
	return input, nil
}

func (r *rule) holds(e *scope) (bool, error) {
	if r.And != nil {
		for _, inner := range r.And {
			if ok, err := inner.holds(e); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}
	v, err := r.Variable.eval(e)
	if r.IsPresent != nil {
		return *r.IsPresent == (err == nil), nil
	}
	if err != nil {
		return false, runtimeError("Invalid path '%s': The choice state's condition path references an invalid value.",
			r.Variable.text)
	}
	return r.compare(v), nil
}

// compare asks the operator about the value of the Variable. One of another type than the operator's fits none but
// IsString.
func (r *rule) compare(v any) bool {
	text, isText := v.(string)
	number, isNumber := v.(json.Number)
	value, _ := number.Float64()
	truth, isTruth := v.(bool)
	switch {
	case r.IsString != nil:
		return isText == *r.IsString
	case r.BooleanEquals != nil:
		return isTruth && truth == *r.BooleanEquals
	case r.NumericEquals != nil:
		return isNumber && value == *r.NumericEquals
	case r.NumericGreaterThan != nil:
		return isNumber && value > *r.NumericGreaterThan
	case r.StringEquals != nil:
		return isText && text == *r.StringEquals
	default:
		return isText && matches(text, *r.StringMatches)
	}
}

// matches says whether s fits a pattern in which * stands for any text.
func matches(s, pattern string) bool {
	pieces := strings.Split(pattern, "*")
	last := len(pieces) - 1
	if last == 0 {
		return s == pattern
	}
	s, ok := strings.CutPrefix(s, pieces[0])
	if !ok {
		return false
	}
	if s, ok = strings.CutSuffix(s, pieces[last]); !ok {
		return false
	}
	return !slices.ContainsFunc(pieces[1:last], func(piece string) bool {
		_, s, ok = strings.Cut(s, piece)
		return !ok
	})
}

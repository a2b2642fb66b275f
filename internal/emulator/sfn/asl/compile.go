package asl

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// maxNameLength is how long a state's name may be, in characters.
const maxNameLength = 80

// flow compiles the fields StartAt and States.
func (c *compiler) flow(f *fields) *flow {
	w := &flow{start: f.required("StartAt"), states: map[string]*state{}}
	v, ok := f.take("States")
	if !ok {
		f.wrong("States", "is missing")
		return w
	}
	states, ok := c.object(f.where+": field \"States\"", v)
	if !ok {
		return w
	}
	if len(states.o.names) == 0 {
		f.wrong("States", "is empty")
		return w
	}
	for _, name := range states.o.names {
		if s := c.state(name, states.o.values[name]); s != nil {
			w.names = append(w.names, name)
			w.states[name] = s
		}
	}
	if len(w.names) == len(states.o.names) {
		w.check(f)
	}
	return w
}

// check looks whether every target exists. What cannot be reached, or never ends, is for asl-validator to find.
func (w *flow) check(f *fields) {
	if w.start != "" && w.states[w.start] == nil {
		f.wrong("StartAt", "there is no state %q", w.start)
	}
	for _, name := range w.names {
		for _, t := range w.states[name].targets() {
			if w.states[t] == nil {
				f.c.problems = append(f.c.problems, fmt.Errorf("state %q: there is no state %q to go to", name, t))
			}
		}
	}
}

// targets are the states that may come after s.
func (s *state) targets() []string {
	var all []string
	if s.next != "" {
		all = append(all, s.next)
	}
	if choice, ok := s.body.(*choiceBody); ok {
		for _, r := range choice.rules {
			all = append(all, r.next)
		}
		if choice.otherwise != "" {
			all = append(all, choice.otherwise)
		}
	}
	for _, c := range s.catch {
		all = append(all, c.next)
	}
	return all
}

// stateParts says what the states of one Type have.
type stateParts struct {
	body                        func(c *compiler, f *fields) body
	end, payload, result, retry bool // Next or End; Parameters; ResultPath; Retry, Catch and ResultSelector
}

// stateTypes is filled at start, because the body of Map holds states again.
var stateTypes map[string]stateParts

func init() {
	stateTypes = map[string]stateParts{
		"Task":    {compileTask, true, true, true, true},
		"Map":     {compileMap, true, false, true, true},
		"Pass":    {compilePass, true, true, true, false},
		"Wait":    {compileWait, true, false, false, false},
		"Choice":  {compileChoice, false, false, false, false},
		"Succeed": {compileSucceed, false, false, false, false},
		"Fail":    {compileFail, false, false, false, false},
	}
}

func (c *compiler) state(name string, v any) *state {
	f, ok := c.object(fmt.Sprintf("state %q", name), v)
	if !ok {
		return nil
	}
	if n := utf8.RuneCountInString(name); n > maxNameLength {
		f.problem("the name has %d characters, more than %d", n, maxNameLength)
	}
	if c.names[name] {
		f.problem("there is another state of this name")
	}
	c.names[name] = true
	s := &state{name: name, kind: f.required("Type")}
	parts, ok := stateTypes[s.kind]
	if !ok {
		if s.kind != "" {
			f.wrong("Type", "%q is not supported", s.kind)
		}
		return nil
	}
	f.text("Comment")
	s.common(f, parts)
	s.body = parts.body(c, f)
	f.done()
	return s
}

func (s *state) common(f *fields, parts stateParts) {
	if s.kind != "Fail" {
		s.output = f.path("OutputPath")
	}
	if parts.payload {
		s.parameters = f.template("Parameters")
	}
	if parts.result {
		s.result = f.resultPath()
	}
	if parts.retry {
		s.resultSelector = f.template("ResultSelector")
		s.retry, s.catch = retriers(f), catchers(f)
	}
	if parts.end {
		s.next = transition(f)
	}
}

// transition is where Next leads; empty at the end.
func transition(f *fields) string {
	end, hasEnd := f.bool("End")
	next, hasNext := f.string("Next")
	switch {
	case end && f.has("Next"):
		f.wrong("End", "excludes \"Next\"")
	case hasEnd && !end && !f.has("Next"):
		f.wrong("End", "must be true or left out")
	case hasNext && next == "":
		f.wrong("Next", "is empty")
	case !f.has("Next") && !f.has("End"):
		f.problem("needs \"Next\" or \"End\"")
	}
	return next
}

// errorNames are the names of ErrorEquals. States.ALL stands alone, and in the last retrier or catcher.
func errorNames(f *fields, last bool) []string {
	all, ok := f.array("ErrorEquals")
	if !ok && !f.has("ErrorEquals") {
		f.wrong("ErrorEquals", "is missing")
	}
	var names []string
	for _, v := range all {
		name, ok := v.(string)
		switch {
		case !ok || name == "":
			f.wrong("ErrorEquals", "must hold error names")
		case name == errAll && (len(all) > 1 || !last):
			f.wrong("ErrorEquals", "%s must be alone, and the last one", errAll)
		case len(name) > len(reservedErrorName) && name[:len(reservedErrorName)] == reservedErrorName &&
			!slices.Contains(knownErrors, name):
			f.wrong("ErrorEquals", "there is no error %q; names that start with %q are the language's own",
				name, reservedErrorName)
		}
		names = append(names, name)
	}
	return names
}

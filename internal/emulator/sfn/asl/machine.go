// Package asl executes state machines that are written in the Amazon States Language, as far as the project's own
// definitions speak it, with JSONPath. A definition that uses more is refused, by the name of what is not known:
//
//   - states: Task (lambda:invoke, states:startExecution.sync:2), Pass, Wait, Choice, Succeed, Fail, and the distributed
//     Map over items in S3, at the top level;
//   - around them: Parameters, ResultSelector, ResultPath, OutputPath, Retry, Catch, TimeoutSeconds;
//   - in Choice rules: And, and the operators of the type rule;
//   - paths of names after dots, into the state's input or into $$.Execution;
//   - the intrinsic functions of the map functions.
//
// What it knows it does as AWS does, with the same history of events. A history can be taken up again: where a process
// was killed, and where a failed execution is redriven; see [Resume].
package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Machine is a parsed and checked state machine. It is immutable and may be executed any number of times at once.
type Machine struct {
	flow    flow
	timeout time.Duration // 0: none
}

// Child is what the Map state of that label runs for each item; nil when there is none.
func (m *Machine) Child(label string) *Machine {
	for _, s := range m.flow.states {
		if s.Type == "Map" && s.Label == label {
			return s.child()
		}
	}
	return nil
}

func (s *state) child() *Machine { return &Machine{flow: s.ItemProcessor.flow} }

// flow is a graph of states. The fields of this struct and of those below are those of the definition, see decode.
type flow struct {
	StartAt string
	States  map[string]json.RawMessage
	states  map[string]*state
}

// state is a state of any Type; stateFields says which of the fields it may have.
type state struct {
	name          string
	Type, Comment string
	Next          string // empty: it is the last one, or chooses
	End           bool

	Parameters     *template
	ResultSelector *template
	ResultPath     resultPath
	OutputPath     *path
	Retry          []retrier
	Catch          []catcher

	Resource       string // of a Task
	TimeoutSeconds seconds

	Seconds     *float64 // of a Wait
	SecondsPath *path

	Choices []rule
	Default string // empty: none

	Error, Cause         string // of a Fail
	ErrorPath, CausePath *textExpression

	Label                          string // of a Map
	ItemReader, ResultWriter       objectAccess
	ItemProcessor                  processor
	MaxConcurrency                 *float64
	MaxConcurrencyPath             *path
	ToleratedFailurePercentage     *float64
	ToleratedFailurePercentagePath *path
}

// stateFields are the fields of each Type of state.
var stateFields = map[string]string{
	"Task": "Resource Parameters ResultSelector ResultPath OutputPath TimeoutSeconds Retry Catch Next End",
	"Map": "Label ItemReader ItemProcessor ResultWriter MaxConcurrency MaxConcurrencyPath ToleratedFailurePercentage " +
		"ToleratedFailurePercentagePath ResultSelector ResultPath OutputPath Retry Catch Next End",
	"Pass":    "Parameters ResultPath OutputPath Next End",
	"Wait":    "Seconds SecondsPath OutputPath Next End",
	"Choice":  "Choices Default OutputPath",
	"Succeed": "OutputPath",
	"Fail":    "Error ErrorPath Cause CausePath",
}

type catcher struct {
	Comment     string
	ErrorEquals []string
	ResultPath  resultPath
	Next        string
}

// objectAccess is an ItemReader or a ResultWriter.
type objectAccess struct {
	Resource     string
	ReaderConfig map[string]string
	Parameters   *template
}

// processor is an ItemProcessor.
type processor struct {
	flow
	Comment         string
	ProcessorConfig map[string]string
}

// Parse reads a definition and checks all of it. Its error joins everything found wrong, each with the state and the
// field it is about.
func Parse(definition []byte) (*Machine, error) {
	var d struct {
		flow
		Comment        string
		TimeoutSeconds seconds
	}
	if err := errors.Join(decode(definition, &d), d.parse()); err != nil {
		return nil, err
	}
	return &Machine{d.flow, time.Duration(d.TimeoutSeconds)}, nil
}

// parse reads the states, and looks whether every target exists. What cannot be reached, or never ends, is for
// asl-validator to find.
func (f *flow) parse() error {
	var problems []error
	f.states = map[string]*state{}
	names := slices.Sorted(maps.Keys(f.States))
	for _, name := range names {
		s := &state{name: name}
		f.states[name] = s
		problems = append(problems, within(fmt.Sprintf("state %q", name), s.parse(f.States[name])))
	}
	for _, name := range names {
		for _, target := range f.states[name].targets() {
			if f.states[target] == nil {
				problems = append(problems, fmt.Errorf("state %q: there is no state %q to go to", name, target))
			}
		}
	}
	if f.states[f.StartAt] == nil {
		problems = append(problems, wrong("StartAt", "there is no state %q", f.StartAt))
	}
	return errors.Join(problems...)
}

// targets are the states that may come after s.
func (s *state) targets() []string {
	all := []string{s.Next, s.Default}
	for _, r := range s.Choices {
		all = append(all, r.Next)
	}
	for _, c := range s.Catch {
		all = append(all, c.Next)
	}
	return slices.DeleteFunc(all, func(name string) bool { return name == "" })
}

// maxNameLength is how long a state's name may be, in characters.
const maxNameLength = 80

func (s *state) parse(text []byte) error {
	var head struct{ Type string }
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("must be an object with a Type: %w", err)
	}
	fields, ok := stateFields[head.Type]
	if !ok {
		return wrong("Type", "%q is not supported", head.Type)
	}
	own := append(strings.Fields(fields), "Type", "Comment")
	if err := decode(text, s, own...); err != nil {
		return err
	}
	var problems []error
	if n := utf8.RuneCountInString(s.name); n > maxNameLength {
		problems = append(problems, fmt.Errorf("the name has %d characters, more than %d", n, maxNameLength))
	}
	if slices.Contains(own, "Next") && s.End == (s.Next != "") {
		problems = append(problems, errors.New(`needs "Next" or "End": true, and not both`))
	}
	for i := range s.Retry {
		last := i == len(s.Retry)-1
		problems = append(problems, within(fmt.Sprintf("Retry[%d]", i), s.Retry[i].check(last)))
	}
	for i, c := range s.Catch {
		err := checkErrorNames(c.ErrorEquals, i == len(s.Catch)-1)
		if c.Next == "" {
			err = errors.Join(err, wrong("Next", "is missing"))
		}
		problems = append(problems, within(fmt.Sprintf("Catch[%d]", i), err))
	}
	return errors.Join(append(problems, s.checkType())...)
}

// checkType checks what states of this Type alone have.
func (s *state) checkType() error {
	switch s.Type {
	case "Task":
		return s.checkTask()
	case "Map":
		return s.checkMap()
	case "Wait":
		if s.Seconds == nil && s.SecondsPath == nil {
			return errors.New("needs Seconds or SecondsPath")
		}
		return waitSeconds.check(s.Seconds, s.SecondsPath)
	case "Choice":
		return s.checkChoices()
	case "Fail":
		if s.Error != "" && s.ErrorPath != nil || s.Cause != "" && s.CausePath != nil {
			return errors.New("has an Error or a Cause twice, as a text and by a path")
		}
	}
	return nil
}

// checkErrorNames checks an ErrorEquals. States.ALL stands alone, and in the last retrier or catcher.
func checkErrorNames(names []string, last bool) error {
	var problems []error
	if len(names) == 0 {
		problems = append(problems, wrong("ErrorEquals", "is missing"))
	}
	for _, name := range names {
		switch {
		case name == "":
			problems = append(problems, wrong("ErrorEquals", "must hold error names"))
		case name == errAll && (len(names) > 1 || !last):
			problems = append(problems, wrong("ErrorEquals", "%s must be alone, and the last one", errAll))
		case strings.HasPrefix(name, reservedErrorName) && !slices.Contains(knownErrors, name):
			problems = append(problems, wrong("ErrorEquals", "there is no error %q; names that start with %q are the language's own",
				name, reservedErrorName))
		}
	}
	return errors.Join(problems...)
}

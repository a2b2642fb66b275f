package asl

import (
	"errors"
	"time"
)

// Machine is a parsed and checked state machine. It is immutable and may be executed any number of times at once.
type Machine struct {
	timeout   time.Duration // 0: none
	flow      *flow
	resources []string
	children  map[string]*Machine // of its Map states, by label
}

// Child is what the Map state of that label runs for each item; nil when there is none.
func (m *Machine) Child(label string) *Machine { return m.children[label] }

// flow is a graph of states.
type flow struct {
	start  string
	names  []string
	states map[string]*state
}

// state is what all states have in common.
type state struct {
	name string
	kind string // its Type
	next string // empty: it is the last one, or chooses

	parameters     template // nil: none
	resultSelector template // nil: none
	result         resultPath
	output         *path // OutputPath; nil: all
	retry          []retrier
	catch          []catcher
	body           body
}

// body is what a state of one Type does.
type body interface {
	// run does the state's work on its effective input (after Parameters). What it returns is the result before
	// ResultSelector. A body that chooses the next state sets step.next.
	run(s *step, input any) (any, error)
}

// resultPath is a ResultPath: where the result goes in the input; the whole of it when p is nil; or nowhere.
type resultPath struct {
	p    *path
	null bool
}

type retrier struct {
	errors      []string
	interval    time.Duration
	maxAttempts int
	backoff     float64
	maxDelay    time.Duration // 0: none
	jitter      bool
}

type catcher struct {
	errors []string
	next   string
	result resultPath
}

// Parse reads a definition and checks all of it. Its error joins everything found wrong, each with the state and the
// field it is about.
func Parse(definition []byte) (*Machine, error) {
	v, err := decodeJSON(definition)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*object)
	if !ok {
		return nil, errors.New("a definition is an object, not " + typeName(v))
	}
	c := &compiler{names: map[string]bool{}, children: map[string]*Machine{}}
	f := c.fields("state machine", o)
	f.text("Comment")
	m := &Machine{timeout: f.seconds("TimeoutSeconds")}
	m.flow = c.flow(f)
	f.done()
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	m.resources, m.children = c.resources, c.children
	return m, nil
}

package statemachine_test

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// state is what of a definition's state says where it leads.
type state struct {
	Type, Next, Default string
	Catch               []struct {
		ErrorEquals []string
		Next        string
	}
	Choices []struct{ Next string }
}

// uncaught stands for the end of an execution with an error that no Catch takes.
const uncaught = "(uncaught)"

// step is a state and the one that follows it.
type step struct{ from, to string }

// next are the states that may follow, and uncaught.
func (s state) next() []string {
	all := []string{s.Next, s.Default}
	caught := s.Type != "Task" && s.Type != "Map"
	for _, c := range s.Catch {
		all = append(all, c.Next)
		caught = caught || slices.Contains(c.ErrorEquals, "States.ALL")
	}
	for _, c := range s.Choices {
		all = append(all, c.Next)
	}
	if !caught {
		all = append(all, uncaught)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// walk notes which steps of a definition's ways to a failure executions have gone.
type walk struct {
	states map[string]state
	mu     sync.Mutex
	gone   map[step]bool
}

// newWalk begins a walk. When the test and its subtests have ended, it fails for each step that leads to a failure and that
// no execution has gone: a new state, or a new way, needs a case.
func newWalk(t *testing.T, file string) *walk {
	t.Helper()
	var definition struct{ States map[string]state }
	if err := json.Unmarshal(readDefinition(t, file), &definition); err != nil {
		t.Fatal(err)
	}
	w := &walk{states: definition.States, gone: map[step]bool{}}
	t.Cleanup(func() {
		for _, s := range w.left() {
			t.Errorf("%s: no case goes from %s to %s", file, s.from, s.to)
		}
	})
	return w
}

// add notes an execution.
func (w *walk) add(entered path, r asl.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range len(entered) - 1 {
		w.gone[step{entered[i], entered[i+1]}] = true
	}
	if last := entered[len(entered)-1]; r.Status == asl.StatusFailed && w.states[last].Type != "Fail" {
		w.gone[step{last, uncaught}] = true
	}
}

// left are the steps that nobody has gone, out of those that are on a way to a failure.
func (w *walk) left() (left []step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fails := w.failing()
	for _, from := range slices.Sorted(maps.Keys(w.states)) {
		for _, to := range w.states[from].next() {
			if s := (step{from, to}); fails[to] && !w.gone[s] {
				left = append(left, s)
			}
		}
	}
	return left
}

// failing are the states from which a failure can be reached.
func (w *walk) failing() map[string]bool {
	fails := map[string]bool{uncaught: true}
	for before := -1; before != len(fails); {
		before = len(fails)
		for name, s := range w.states {
			if s.Type == "Fail" || slices.ContainsFunc(s.next(), func(to string) bool { return fails[to] }) {
				fails[name] = true
			}
		}
	}
	return fails
}

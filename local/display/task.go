package display

import (
	"fmt"
	"slices"
	"time"
)

// Task is something that takes time. On a terminal it is on the live line while it lasts; elsewhere a line says now and
// then that it still runs, so that nobody takes a slow build for a hanging one.
type Task struct {
	screen  *Screen
	name    string
	started time.Time
	printed time.Time     // when the last line about it was printed
	live    func() string // the text of the live line, instead of the name; then there are no lines now and then
	detail  string        // the part of it that runs
}

const heartbeatEvery = 20 * time.Second

// Task begins a task of this name, such as "building the functions".
func (s *Screen) Task(name string) *Task {
	return s.begin(&Task{name: name})
}

func (s *Screen) begin(t *Task) *Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.screen, t.started = s, s.now()
	t.printed = t.started
	s.tasks = append(s.tasks, t)
	s.draw()
	return t
}

// End takes the task off the live line and returns how long it took.
func (t *Task) End() time.Duration {
	s := t.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = slices.DeleteFunc(s.tasks, func(other *Task) bool { return other == t })
	s.draw()
	return s.now().Sub(t.started)
}

// Detail names the part of the task that runs, such as the package that is compiled.
func (t *Task) Detail(text string) {
	t.screen.mu.Lock()
	defer t.screen.mu.Unlock()
	t.detail = text
}

// text is the task's share of the live line. The screen is locked.
func (t *Task) text() string {
	if t.live != nil {
		return t.live()
	}
	text := fmt.Sprintf("%s, %s", t.name, elapsed(t.screen.now().Sub(t.started)))
	if t.detail != "" {
		text += " (" + t.detail + ")"
	}
	return text
}

// heartbeat prints that the task still runs, when that is due.
func (t *Task) heartbeat() {
	s := t.screen
	if now := s.now(); t.live == nil && now.Sub(t.printed) >= heartbeatEvery {
		t.printed = now
		s.line("still " + t.text())
	}
}

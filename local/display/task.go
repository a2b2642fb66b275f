package display

import (
	"fmt"
	"slices"
	"time"
)

// Task is something that takes time. On a terminal it is on the live line while it lasts; elsewhere a line says now and
// then that it still goes on, so that nobody takes a slow build for a hanging one.
type Task struct {
	screen *Screen
	name   string
	begun  time.Time
	every  time.Duration // of the lines where there is no terminal; 0: none
	beaten time.Time
	detail func() string
	doing  string // what of it is being done
}

const heartbeat = 20 * time.Second

// Task begins a task of this name, such as "building the functions".
func (s *Screen) Task(name string) *Task {
	return s.begin(&Task{name: name, every: heartbeat})
}

// live puts a text of the caller's on the live line.
func (s *Screen) live(text func() string) *Task {
	return s.begin(&Task{detail: text})
}

func (s *Screen) begin(t *Task) *Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.screen, t.begun = s, s.now()
	t.beaten = t.begun
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
	return s.now().Sub(t.begun)
}

// Detail says what of the task is being done, such as the package that is compiled.
func (t *Task) Detail(text string) {
	t.screen.mu.Lock()
	defer t.screen.mu.Unlock()
	t.doing = text
}

// text is the task's share of the live line. The screen is locked.
func (t *Task) text() string {
	if t.detail != nil {
		return t.detail()
	}
	text := fmt.Sprintf("%s, %s", t.name, elapsed(t.screen.now().Sub(t.begun)))
	if t.doing != "" {
		text += " (" + t.doing + ")"
	}
	return text
}

func (t *Task) beat() {
	s := t.screen
	if now := s.now(); t.every > 0 && now.Sub(t.beaten) >= t.every {
		t.beaten = now
		s.line("still " + t.text())
	}
}

package display

import (
	"fmt"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// ExecutionView shows one execution while it runs. Its methods may be called from many goroutines.
type ExecutionView interface {
	// Event takes an event of any execution's history; those of other executions are left out.
	Event(executionARN string, e asl.Event)
	// Bytes takes how many bytes of an execution's archive have been transferred. The execution is given by its name.
	Bytes(execution string, done, total int64)
	// Times returns how long the steps took so far.
	Times() Times
	// Close removes the live line.
	Close()
}

// View shows the execution of an archive: a line for each step that is done, with the time since its start, and on a
// terminal the step that runs, with a progress bar while the archive is transferred.
type View struct {
	screen  *Screen
	arn     string // of the execution
	started time.Time
	live    *Task

	mu       sync.Mutex
	narrator narrator
	current  note
	bar      *bar
	printed  time.Time // when the last line about bytes was printed, without a terminal
}

// bytesEvery is how often a line about bytes is printed where there is no live one.
const bytesEvery = 5 * time.Second

// View makes the view of an archive's execution that started at that time.
func (s *Screen) View(executionARN string, started time.Time) *View {
	v := &View{screen: s, arn: executionARN, started: started}
	v.live = s.live(v.liveText)
	return v
}

// Close removes the live line.
func (v *View) Close() { v.live.End() }

// Event takes an event of the history; see ExecutionView.
func (v *View) Event(executionARN string, e asl.Event) {
	if executionARN != v.arn {
		return
	}
	v.mu.Lock()
	n, ok := v.narrator.describe(e)
	if !ok {
		v.mu.Unlock()
		return
	}
	if n.state == "Failed" {
		n.text = e.Details.Error // its cause comes last of all, see Failure
	}
	v.current = n
	v.bar = nil // it belongs to the step before
	v.mu.Unlock()
	if v.prints(n) {
		v.screen.Line("%s", v.line(n))
	}
}

// prints says whether a note gets a line that stays.
func (v *View) prints(n note) bool {
	switch n.kind {
	case noteNow:
		return false
	case noteBegin, noteSame:
		return !v.screen.terminal
	default:
		return true
	}
}

// Bytes takes the progress of the transfer; see ExecutionView.
func (v *View) Bytes(execution string, done, total int64) {
	if total <= 0 || execution != nameOf(v.arn) {
		return
	}
	v.mu.Lock()
	if v.bar == nil {
		b := newBar(total, v.screen.terminal)
		v.bar = &b
		v.printed = v.screen.now()
	}
	v.bar.set(done, total)
	text := v.plainBytes()
	at := note{v.screen.now(), v.current.state, text, noteBegin}
	v.mu.Unlock()
	if text != "" {
		v.screen.Line("%s", v.line(at))
	}
}

// plainBytes is the text of a line about bytes where there is no live one, when one is due.
func (v *View) plainBytes() string {
	text := v.bar.text(defaultWidth) // drawn even when unused: the rate is computed from one drawing to the next
	now := v.screen.now()
	if v.screen.terminal || now.Sub(v.printed) < bytesEvery {
		return ""
	}
	v.printed = now
	return text
}

// Times returns how long the steps took so far.
func (v *View) Times() Times {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.narrator.times
}

const stateWidth = 12 // of the column with the states' names

func (v *View) line(n note) string {
	s := v.screen
	name := fmt.Sprintf("%-*s", stateWidth, n.state)
	switch n.kind {
	case noteBad:
		name = s.paint(red, name)
	case noteGood:
		name = s.paint(green, name)
	default:
		name = s.paint(bold, name)
	}
	return s.paint(dim, fmt.Sprintf("%9s", elapsed(n.at.Sub(v.started)))) + "  " + name + " " + n.text
}

func (v *View) liveText() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	head := fmt.Sprintf("%7s  %-*s ", elapsed(v.screen.now().Sub(v.started)), stateWidth, v.current.state)
	if v.bar == nil {
		return head + v.current.text
	}
	return head + v.bar.text(v.screen.width()-len(head)-4)
}

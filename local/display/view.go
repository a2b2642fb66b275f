package display

import (
	"fmt"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// View shows one execution: a line for each step that is done, with the time since its start, and on a terminal what
// goes on now, with a progress bar while the archive moves.
type View struct {
	screen *Screen
	begun  time.Time
	live   *Task

	mu       sync.Mutex
	narrator narrator
	current  note
	bar      *bar
	told     time.Time // when the bytes were told last, without a terminal
}

// bytesEvery is how often the bytes get a line where there is no live one.
const bytesEvery = 5 * time.Second

// View begins the view of an execution that began at that time.
func (s *Screen) View(begun time.Time) *View {
	v := &View{screen: s, begun: begun}
	v.live = s.live(v.liveText)
	return v
}

// Close ends the live line.
func (v *View) Close() { v.live.End() }

// Event takes an event of the execution's history.
func (v *View) Event(e asl.Event) {
	v.mu.Lock()
	n, ok := v.narrator.tell(e)
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
	if v.worthALine(n) {
		v.screen.Line("%s", v.line(n))
	}
}

func (v *View) worthALine(n note) bool {
	switch n.kind {
	case noteNow:
		return false
	case noteBegin, noteSame:
		return !v.screen.terminal
	default:
		return true
	}
}

// Bytes tells how far the transfer is.
func (v *View) Bytes(done, total int64) {
	if total <= 0 {
		return
	}
	v.mu.Lock()
	if v.bar == nil {
		b := newBar(total, v.screen.terminal)
		v.bar = &b
		v.told = v.screen.now()
	}
	v.bar.set(done, total)
	text := v.plainBytes()
	at := note{v.screen.now(), v.current.state, text, noteBegin}
	v.mu.Unlock()
	if text != "" {
		v.screen.Line("%s", v.line(at))
	}
}

// plainBytes is the text for a line where there is no live one, when it is time for it.
func (v *View) plainBytes() string {
	text := v.bar.text(defaultWidth) // also without use: the rate is computed from one drawing to the next
	now := v.screen.now()
	if v.screen.terminal || now.Sub(v.told) < bytesEvery {
		return ""
	}
	v.told = now
	return text
}

// Times says how long the parts took so far.
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
	return s.paint(dim, fmt.Sprintf("%9s", elapsed(n.at.Sub(v.begun)))) + "  " + name + " " + n.text
}

func (v *View) liveText() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	head := fmt.Sprintf("%7s  %-*s ", elapsed(v.screen.now().Sub(v.begun)), stateWidth, v.current.state)
	if v.bar == nil {
		return head + v.current.text
	}
	return head + v.bar.text(v.screen.width()-len(head)-4)
}

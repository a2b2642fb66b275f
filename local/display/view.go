package display

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// View shows one execution while it runs: a line for each step that is done, with the time since its start, and on a
// terminal the step that runs, with a progress bar while the archive is transferred. Of a batch's archives it shows those
// that failed, and the progress of the whole: on a terminal in the live line, elsewhere in a line now and then. Its methods
// may be called from many goroutines.
type View struct {
	screen  *Screen
	arn     string // of the execution
	started time.Time
	live    *Task

	mu       sync.Mutex
	narrator narrator
	current  note
	bar      *pb.ProgressBar // it computes the rate and the time left, and draws; the screen writes
	printed  time.Time       // when the last line about progress was printed, without a terminal
	batch    *batch          // nil for an archive
}

// bytesEvery is how often a line about bytes is printed where there is no live one.
const bytesEvery = 5 * time.Second

// View makes the view of an archive's execution that started at that time.
func (s *Screen) View(executionARN string, started time.Time) *View {
	return s.view(&View{arn: executionARN, started: started})
}

// BatchView makes the view of a batch's execution that started at that time.
func (s *Screen) BatchView(executionARN string, started time.Time) *View {
	return s.view(&View{arn: executionARN, started: started, printed: started, batch: newBatch()})
}

func (s *Screen) view(v *View) *View {
	v.screen = s
	v.live = s.begin(&Task{live: v.liveText})
	return v
}

// Close removes the live line.
func (v *View) Close() { v.live.End() }

// Event takes an event of any execution's history; those of other executions are left out, but for a batch's archives and
// the children of its map.
func (v *View) Event(executionARN string, e asl.Event) {
	v.mu.Lock()
	line := ""
	if executionARN == v.arn {
		line = v.step(e)
	} else if v.batch != nil {
		line = v.ofBatch(executionARN, e)
	}
	v.mu.Unlock()
	v.print(line)
}

func (v *View) print(line string) {
	if line != "" {
		v.screen.Line("%s", line)
	}
}

func (v *View) step(e asl.Event) string {
	if v.batch != nil {
		v.batch.plan(e)
	}
	n, ok := v.narrator.describe(e)
	if !ok {
		return ""
	}
	if n.state == "Failed" {
		n.text = e.Details.Error // its cause comes last of all, see Failure
	}
	v.current = n
	v.bar = nil // it belongs to the step before
	if !v.prints(n) {
		return ""
	}
	return v.line(n)
}

func (v *View) ofBatch(executionARN string, e asl.Event) string {
	name := nameOf(executionARN)
	switch {
	case isChild(executionARN):
		if v.batch.child(e) {
			return v.progress(e.Time)
		}
	case hasEnded(e):
		delete(v.batch.moving, name)
		if e.Type != "ExecutionSucceeded" {
			return v.line(note{e.Time, "Archives", name + ": " + failureText(cmp.Or(e.Details.Error, "stopped"), e.Details.Cause), noteBad})
		}
	}
	return ""
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

// Bytes takes how many bytes of an execution's archive have been transferred. The execution is given by its name.
func (v *View) Bytes(execution string, done, total int64) {
	v.mu.Lock()
	line := ""
	if v.batch != nil {
		v.batch.moving[execution] = done
		line = v.progress(v.screen.now())
	} else if total > 0 && execution == nameOf(v.arn) {
		line = v.transfer(done, total)
	}
	v.mu.Unlock()
	v.print(line)
}

// transfer moves the bar, and gives a line where there is no live one, when one is due.
func (v *View) transfer(done, total int64) string {
	if v.bar == nil {
		v.bar = newBar(total, v.screen.terminal)
		v.printed = v.screen.now()
	}
	v.bar.SetTotal(total).SetCurrent(min(done, total))
	text := barText(v.bar, defaultWidth) // drawn even when unused: the rate is computed from one drawing to the next
	if text == "" || !v.due() {
		return ""
	}
	return v.line(note{v.printed, v.current.state, text, noteBegin})
}

// progress is a line about the whole batch where there is no live one, when one is due.
func (v *View) progress(at time.Time) string {
	if !v.due() {
		return ""
	}
	return v.line(note{at, "Archives", v.batch.text(v.printed), noteBegin})
}

// due says whether it is time for a line about progress, and that it is printed now.
func (v *View) due() bool {
	now := v.screen.now()
	if v.screen.terminal || now.Sub(v.printed) < bytesEvery {
		return false
	}
	v.printed = now
	return true
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
	now := v.screen.now()
	if v.batch != nil {
		return Duration(now.Sub(v.started)) + "  " + v.batch.text(now)
	}
	head := fmt.Sprintf("%7s  %-*s ", elapsed(now.Sub(v.started)), stateWidth, v.current.state)
	if v.bar == nil {
		return head + v.current.text
	}
	return head + barText(v.bar, v.screen.width()-len(head)-4)
}

const (
	barTemplate   = `{{bar . "[" "=" ">" " " "]"}} {{percent . "%.0f %%"}} {{counters . "%s of %s"}}{{speed . ", %s/s" " "}}{{rtime . ", %s left" "" ""}}`
	plainTemplate = `{{counters . "%s of %s"}}, {{percent . "%.0f %%"}}{{speed . ", %s/s" " "}}{{rtime . ", %s left" "" ""}}`
)

func newBar(total int64, pictured bool) *pb.ProgressBar {
	template := plainTemplate
	if pictured {
		template = barTemplate
	}
	// It draws when asked, and nowhere.
	return pb.New64(total).SetTemplateString(template).Set(pb.Bytes, true).Set(pb.Static, true).Set(pb.Color, false).
		Set(pb.Terminal, true).Set(pb.ReturnSymbol, "").Start()
}

func barText(bar *pb.ProgressBar, width int) string {
	return strings.TrimSpace(bar.SetWidth(max(width, 1)).String())
}

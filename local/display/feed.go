package display

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Feed shows any number of executions at once, a plain line for each step. A batch is shown as a whole: of its archives
// only those that fail have a line of their own.
type Feed struct {
	screen *Screen

	mu         sync.Mutex
	executions map[string]*feedEntry // by name
	width      int                   // of the names
}

// feedEntry is one execution of a feed.
type feedEntry struct {
	narrator narrator
	printed  time.Time // when the last line about its progress was printed
	quiet    bool      // it makes an archive of a batch
	batch    *batch    // nil for an archive
}

// Feed makes a feed.
func (s *Screen) Feed() *Feed {
	return &Feed{screen: s, executions: map[string]*feedEntry{}}
}

// Event takes an event of an execution's history.
func (f *Feed) Event(executionARN string, e asl.Event) {
	if isChild(executionARN) {
		return // see Child
	}
	name := nameOf(executionARN)
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := f.entry(name)
	if e.Type == "ExecutionStarted" {
		if entry.quiet = startedByChild(e); !entry.quiet {
			f.line(name, note{e.Time, "Started", "", noteDone})
		}
		return
	}
	if e.Type == "TaskStateExited" && e.Details.Name == "Plan" {
		f.batch(name).batch.plan(e)
	}
	n, ok := entry.narrator.describe(e)
	if hasEnded(e) {
		delete(f.executions, name)
	}
	shown := !entry.quiet && (n.kind == noteDone || n.kind == noteGood) || n.kind == noteBad && (!entry.quiet || hasEnded(e))
	if ok && shown {
		f.line(name, n)
	}
}

// Child takes an event of a child of a batch's map. parentARN is the batch's execution.
func (f *Feed) Child(parentARN string, e asl.Event) {
	name := nameOf(parentARN)
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := f.batch(name)
	if now := f.screen.now(); entry.batch.child(e) && now.Sub(entry.printed) >= bytesEvery {
		entry.printed = now
		f.line(name, note{e.Time, "Archives", entry.batch.text(now), noteBegin})
	}
}

// batch is the execution of that name, which is a batch.
func (f *Feed) batch(name string) *feedEntry {
	entry := f.entry(name)
	if entry.batch == nil {
		entry.batch = newBatch()
		entry.batch.started = f.screen.now()
	}
	return entry
}

// Bytes takes how many bytes of an execution's archive have been transferred.
func (f *Feed) Bytes(executionName string, done, total int64) {
	if total <= 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e, known := f.executions[executionName]
	now := f.screen.now()
	if !known || e.quiet || now.Sub(e.printed) < bytesEvery {
		return
	}
	e.printed = now
	f.line(executionName, note{now, e.narrator.state, fmt.Sprintf("%s of %s", Bytes(done), Bytes(total)), noteBegin})
}

// maxNameWidth keeps one long name from pushing everything else to the right for good.
const maxNameWidth = 32

func (f *Feed) entry(name string) *feedEntry {
	e := f.executions[name]
	if e == nil {
		e = &feedEntry{printed: f.screen.now()}
		f.executions[name] = e
	}
	return e
}

func (f *Feed) line(name string, n note) {
	f.width = min(max(f.width, len(name)), maxNameWidth)
	text := fmt.Sprintf("%s  %-*s  %-*s %s", n.at.Local().Format(time.TimeOnly), f.width, name, stateWidth, n.state, n.text)
	f.screen.Line("%s", strings.TrimRight(text, " "))
}

func nameOf(executionARN string) string {
	return executionARN[strings.LastIndexByte(executionARN, ':')+1:]
}

package display

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Feed tells of any number of executions at once, a plain line for each thing that has happened. A batch is told as a
// whole: of its archives only those that fail have a line of their own.
type Feed struct {
	screen *Screen

	mu         sync.Mutex
	executions map[string]*followed // by name
	width      int                  // of the names
}

type followed struct {
	narrator narrator
	told     time.Time // when its bytes, or how it stands, were told last
	quiet    bool      // it makes an archive of a batch
	batch    *batch    // nil: it is none
}

// Feed begins a feed.
func (s *Screen) Feed() *Feed {
	return &Feed{screen: s, executions: map[string]*followed{}}
}

// Event takes an event of an execution's history.
func (f *Feed) Event(executionARN string, e asl.Event) {
	if isChild(executionARN) {
		return // see Child
	}
	name := nameOf(executionARN)
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.of(name)
	if e.Type == "ExecutionStarted" {
		if of.quiet = startedByChild(e); !of.quiet {
			f.line(name, note{e.Time, "Started", "", noteDone})
		}
		return
	}
	if e.Type == "TaskStateExited" && e.Details.Name == "Plan" {
		f.batch(name).batch.own(e)
	}
	n, ok := of.narrator.tell(e)
	if hasEnded(e) {
		delete(f.executions, name)
	}
	done := n.kind == noteDone && !of.quiet || n.kind == noteGood && !of.quiet
	if ok && (done || n.kind == noteBad && (!of.quiet || hasEnded(e))) {
		f.line(name, n)
	}
}

// Child takes an event of a child of a batch's map. parentARN is the batch's execution.
func (f *Feed) Child(parentARN string, e asl.Event) {
	name := nameOf(parentARN)
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.batch(name)
	if now := f.screen.now(); of.batch.child(e) && now.Sub(of.told) >= bytesEvery {
		of.told = now
		f.line(name, note{e.Time, "Archives", of.batch.text(now), noteBegin})
	}
}

// batch is the execution of that name, which is a batch.
func (f *Feed) batch(name string) *followed {
	of := f.of(name)
	if of.batch == nil {
		of.batch = newBatch()
		of.batch.begun = f.screen.now()
	}
	return of
}

// Bytes tells how far the transfer of an execution is.
func (f *Feed) Bytes(executionName string, done, total int64) {
	if total <= 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e, known := f.executions[executionName]
	now := f.screen.now()
	if !known || e.quiet || now.Sub(e.told) < bytesEvery {
		return
	}
	e.told = now
	f.line(executionName, note{now, "Transfer", fmt.Sprintf("%s of %s", Bytes(done), Bytes(total)), noteBegin})
}

// maxNameWidth keeps one long name from pushing everything else to the right for good.
const maxNameWidth = 32

func (f *Feed) of(name string) *followed {
	e := f.executions[name]
	if e == nil {
		e = &followed{told: f.screen.now()}
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

package display

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/local/asl"
)

// Feed tells of any number of executions at once, a plain line for each thing that has happened.
type Feed struct {
	screen *Screen

	mu         sync.Mutex
	executions map[string]*followed // by name
	width      int                  // of the names
}

type followed struct {
	narrator narrator
	told     time.Time // when its bytes were told last
}

// Feed begins a feed.
func (s *Screen) Feed() *Feed {
	return &Feed{screen: s, executions: map[string]*followed{}}
}

// Event takes an event of an execution's history.
func (f *Feed) Event(executionARN string, e asl.Event) {
	name := nameOf(executionARN)
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Type == "ExecutionStarted" {
		f.line(name, note{e.Time, "Started", "", noteDone})
		return
	}
	n, ok := f.of(name).narrator.tell(e)
	if !ok {
		return
	}
	if n.kind == noteDone || n.kind == noteBad || n.kind == noteGood {
		f.line(name, n)
	}
	if strings.HasPrefix(string(e.Type), "Execution") { // it has ended
		delete(f.executions, name)
	}
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
	if !known || now.Sub(e.told) < bytesEvery {
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

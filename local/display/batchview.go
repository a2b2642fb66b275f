package display

import (
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// BatchView shows one batch: a line for each of its own steps and for each archive that failed, and how it stands as a
// whole: on a terminal in the live line, elsewhere in a line now and then.
type BatchView struct {
	view *View // tells the batch's own steps

	mu    sync.Mutex
	batch *batch
	told  time.Time
}

// BatchView begins the view of a batch's execution that began at that time.
func (s *Screen) BatchView(begun time.Time) *BatchView {
	v := &BatchView{view: &View{screen: s, begun: begun}, batch: newBatch(), told: begun}
	v.view.live = s.live(v.liveText)
	return v
}

// Close ends the live line.
func (v *BatchView) Close() { v.view.Close() }

// Event takes an event of the batch's execution, which is one of the state machine of that name, of a child of its map,
// or of an archive's execution.
func (v *BatchView) Event(executionARN, machine string, e asl.Event) {
	own := strings.Contains(executionARN, ":execution:"+machine+":")
	v.mu.Lock()
	line := ""
	switch {
	case own:
		v.batch.own(e)
	case isChild(executionARN):
		if v.batch.child(e) {
			line = v.now(e.Time)
		}
	case hasEnded(e):
		v.batch.ended(nameOf(executionARN))
		if e.Type != "ExecutionSucceeded" {
			n := note{e.Time, "Archives", nameOf(executionARN) + ": " + failureText(orElse(e.Details.Error, "stopped"), e.Details.Cause), noteBad}
			line = v.view.line(n)
		}
	}
	v.mu.Unlock()
	if own {
		v.view.Event(e)
	}
	if line != "" {
		v.view.screen.Line("%s", line)
	}
}

// Bytes tells how far the transfer of an archive is.
func (v *BatchView) Bytes(execution string, done, _ int64) {
	v.mu.Lock()
	v.batch.move(execution, done)
	line := v.now(v.view.screen.now())
	v.mu.Unlock()
	if line != "" {
		v.view.screen.Line("%s", line)
	}
}

// now is how the batch stands, for a line where there is no live one, when it is time for it.
func (v *BatchView) now(at time.Time) string {
	now := v.view.screen.now()
	if v.view.screen.terminal || now.Sub(v.told) < bytesEvery {
		return ""
	}
	v.told = now
	return v.view.line(note{at, "Archives", v.batch.text(now), noteBegin})
}

func (v *BatchView) liveText() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.view.screen.now()
	return Duration(now.Sub(v.view.begun)) + "  " + v.batch.text(now)
}

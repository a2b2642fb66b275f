package display

import (
	"cmp"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// BatchView shows one batch: a line for each of its own steps and for each archive that failed, and the progress of the
// whole: on a terminal in the live line, elsewhere in a line now and then.
type BatchView struct {
	view *View // of the batch's own steps

	mu      sync.Mutex
	batch   *batch
	printed time.Time // when the last line about the progress was printed
}

// BatchView makes the view of a batch's execution that started at that time.
func (s *Screen) BatchView(executionARN string, started time.Time) *BatchView {
	v := &BatchView{view: &View{screen: s, arn: executionARN, started: started}, batch: newBatch(), printed: started}
	v.view.live = s.live(v.liveText)
	return v
}

// Close removes the live line.
func (v *BatchView) Close() { v.view.Close() }

// Times returns how long the steps took so far; see ExecutionView.
func (v *BatchView) Times() Times { return v.view.Times() }

// Event takes an event of the batch's execution, of a child of its map, or of an archive's execution.
func (v *BatchView) Event(executionARN string, e asl.Event) {
	own := executionARN == v.view.arn
	v.mu.Lock()
	line := ""
	switch {
	case own:
		v.batch.plan(e)
	case isChild(executionARN):
		if v.batch.child(e) {
			line = v.progress(e.Time)
		}
	case hasEnded(e):
		v.batch.ended(nameOf(executionARN))
		if e.Type != "ExecutionSucceeded" {
			n := note{e.Time, "Archives", nameOf(executionARN) + ": " + failureText(cmp.Or(e.Details.Error, "stopped"), e.Details.Cause), noteBad}
			line = v.view.line(n)
		}
	}
	v.mu.Unlock()
	if own {
		v.view.Event(executionARN, e)
	}
	if line != "" {
		v.view.screen.Line("%s", line)
	}
}

// Bytes takes the progress of an archive's transfer; see ExecutionView.
func (v *BatchView) Bytes(execution string, done, _ int64) {
	v.mu.Lock()
	v.batch.move(execution, done)
	line := v.progress(v.view.screen.now())
	v.mu.Unlock()
	if line != "" {
		v.view.screen.Line("%s", line)
	}
}

// progress is a line about the whole batch where there is no live one, when one is due.
func (v *BatchView) progress(at time.Time) string {
	now := v.view.screen.now()
	if v.view.screen.terminal || now.Sub(v.printed) < bytesEvery {
		return ""
	}
	v.printed = now
	return v.view.line(note{at, "Archives", v.batch.text(now), noteBegin})
}

func (v *BatchView) liveText() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.view.screen.now()
	return Duration(now.Sub(v.view.started)) + "  " + v.batch.text(now)
}

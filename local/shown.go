package main

import (
	"encoding/json"
	"sync/atomic"
	"time"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/local/display"
	"github.com/scenario-archive/scenario-archive/local/system"
)

// shown is what a run shows of its execution, which is an archive's or a batch's.
type shown interface {
	machine() string // name of the state machine
	begin(screen *display.Screen, at time.Time)
	event(u stepfunctions.Update)
	bytes(execution string, done, total int64)
	close()
	// tell sums up an execution that has succeeded.
	tell(screen *display.Screen, s *system.System, e stepfunctions.Execution) error
}

// archiveShown is for one archive. The view is set when there is an execution.
type archiveShown struct{ view atomic.Pointer[display.View] }

func (a *archiveShown) machine() string { return system.ArchiveMachine }

func (a *archiveShown) begin(screen *display.Screen, at time.Time) { a.view.Store(screen.View(at)) }

func (a *archiveShown) event(u stepfunctions.Update) {
	if v := a.view.Load(); v != nil {
		v.Event(u.Event)
	}
}

func (a *archiveShown) bytes(_ string, done, total int64) {
	if v := a.view.Load(); v != nil {
		v.Bytes(done, total)
	}
}

func (a *archiveShown) close() { a.view.Load().Close() }

func (a *archiveShown) tell(screen *display.Screen, s *system.System, e stepfunctions.Execution) error {
	var out struct {
		Bucket, Key string
		Size        int64
		Entries     int64
	}
	if err := json.Unmarshal(e.Output, &out); err != nil {
		return err
	}
	t := a.view.Load().Times()
	screen.Line("")
	screen.Line("Archive:  %s (%s, %d files)", relative(s.ObjectPath(out.Bucket, out.Key)), display.Bytes(out.Size), out.Entries)
	screen.Line("Time:     launch %s, Scenario's job %s, transfer %s; in all %s", display.Duration(t.Launch),
		display.Duration(t.Job), display.Duration(t.Transfer), display.Duration(e.StopDate.Sub(e.StartDate)))
	return nil
}

// batchShown is for a batch.
type batchShown struct {
	view atomic.Pointer[display.BatchView]
}

func (b *batchShown) machine() string { return system.BatchMachine }

func (b *batchShown) begin(screen *display.Screen, at time.Time) {
	b.view.Store(screen.BatchView(at))
}

func (b *batchShown) event(u stepfunctions.Update) {
	if v := b.view.Load(); v != nil {
		v.Event(u.ExecutionARN, system.BatchMachine, u.Event)
	}
}

func (b *batchShown) bytes(execution string, done, total int64) {
	if v := b.view.Load(); v != nil {
		v.Bytes(execution, done, total)
	}
}

func (b *batchShown) close() { b.view.Load().Close() }

func (b *batchShown) tell(screen *display.Screen, s *system.System, e stepfunctions.Execution) error {
	var out struct {
		Bucket, Manifest string
		Totals           struct {
			Archives, Failed, Missing int
			Size, Entries             int64
		}
	}
	if err := json.Unmarshal(e.Output, &out); err != nil {
		return err
	}
	t := out.Totals
	screen.Line("")
	screen.Line("Archives: %d (%s, %d files)", t.Archives, display.Bytes(t.Size), t.Entries)
	if t.Failed > 0 {
		screen.Line("Failed:   %d archives with %d assets; the manifest names them", t.Failed, t.Missing)
	}
	screen.Line("Manifest: %s", relative(s.ObjectPath(out.Bucket, out.Manifest)))
	screen.Line("Time:     %s", display.Duration(e.StopDate.Sub(e.StartDate)))
	return nil
}

package sfn

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// mapRun is one Map Run. Its children's files are its memory of what is done: a child's name follows from the Map Run's
// and the child's place, so that after a restart each is found again, and none is run twice.
type mapRun struct {
	s        *Service
	children *machine
	parent   *execution

	mu      sync.Mutex // guards what follows
	record  runRecord
	running int           // children
	failed  int           // children that did not succeed
	changed chan struct{} // closed and replaced when any of these changes
}

// runRecord is what is kept of a Map Run in its file.
type runRecord struct {
	ARN          string     `json:"arn"`
	Label        string     `json:"label"`
	ExecutionARN string     `json:"executionArn"`
	Status       asl.Status `json:"status"`
	Start        time.Time  `json:"start"`
	Stop         time.Time  `json:"stop,omitzero"`

	MaxConcurrency      int     `json:"maxConcurrency"`
	ToleratedPercentage float64 `json:"toleratedFailurePercentage"`

	Counted  bool   `json:"counted"` // the following are known
	ETag     string `json:"etag,omitempty"`
	Children int    `json:"children"`
	Written  int    `json:"written,omitempty"` // results that the ResultWriter has written

	Redrives int       `json:"redrives,omitempty"`
	Redriven time.Time `json:"redriven,omitzero"` // the last time
}

// exceeded says whether more children failed than are tolerated.
func (r *runRecord) exceeded(failed int) bool {
	return float64(failed)*100 > r.ToleratedPercentage*float64(r.Children)
}

// mapRunARN is empty for a machine of its own.
func (m *machine) mapRunARN() string {
	if m.run == nil {
		return ""
	}
	return m.run.record.ARN // never changes
}

// RunMap runs a Map Run's children, or what is left of them after a restart. It is for the executor.
func (s *Service) RunMap(ctx context.Context, m asl.MapRun) (json.RawMessage, error) {
	r, err := s.openRun(m)
	if err != nil {
		return nil, err
	}
	rest, failed := r.process(ctx, m)
	if rest != nil {
		defer rest.inputs.Close()
	}
	var out json.RawMessage
	if ctx.Err() == nil && s.ctx.Err() == nil {
		out, err = r.writeResults(ctx, m.Results, rest, failed)
	}
	switch {
	case s.ctx.Err() != nil: // interrupted: the children are, too
		<-ctx.Done()
		return nil, ctx.Err()
	case ctx.Err() != nil:
		return nil, errors.Join(ctx.Err(), r.end(asl.StatusAborted))
	case failed != nil: // it came first
		return nil, errors.Join(failed, r.end(asl.StatusFailed))
	case err != nil:
		return nil, errors.Join(err, r.end(asl.StatusFailed))
	}
	return out, r.end(asl.StatusSucceeded)
}

// openRun finds the Map Run that an earlier process had under way, or that is redriven, or makes it.
func (s *Service) openRun(m asl.MapRun) (*mapRun, error) {
	s.mu.Lock()
	r, parent := s.runs[m.ARN], s.byARN[m.Execution.ARN]
	s.mu.Unlock()
	if m.Redrive {
		time.Sleep(time.Millisecond) // times are kept in these: every child of before began earlier than the redrive
	}
	now := s.clock.Now().UTC().Truncate(time.Millisecond)
	if r != nil && m.Redrive {
		return r, r.change(func(record *runRecord) {
			record.Status, record.Stop = asl.StatusRunning, time.Time{}
			record.Redrives, record.Redriven = record.Redrives+1, now
		})
	}
	if r != nil {
		return r, nil
	}
	r = s.newRun(parent, runRecord{
		ARN: m.ARN, Label: m.Label, ExecutionARN: m.Execution.ARN, Status: asl.StatusRunning, Start: now,
		MaxConcurrency: m.MaxConcurrency, ToleratedPercentage: m.ToleratedPercentage,
	}, m.Machine)
	if err := r.save(); err != nil {
		return nil, err
	}
	s.addRun(r)
	return r, nil
}

func (s *Service) newRun(parent *execution, record runRecord, child *asl.Machine) *mapRun {
	r := &mapRun{s: s, parent: parent, record: record, changed: make(chan struct{})}
	r.children = s.newMachine(parent.machine.name+"/"+record.Label, filepath.Join(parent.machine.dir, runsDir, fileName(r.id())))
	r.children.parsed, r.children.run = child, r
	return r
}

func (s *Service) addRun(r *mapRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[r.record.ARN] = r
}

// id is the last part of the Map Run's ARN.
func (r *mapRun) id() string { return r.record.ARN[strings.LastIndexByte(r.record.ARN, ':')+1:] }

// process has all children run. It returns when they have ended, or at the first reason to give up, and then after all
// that ran has ended; rest are the inputs of those that were not started.
func (r *mapRun) process(ctx context.Context, m asl.MapRun) (rest *unstarted, err error) {
	if err := r.count(ctx, m); err != nil {
		return nil, err
	}
	in, err := m.Open(ctx, r.record.ETag) // which count alone sets
	if err != nil {
		return nil, err
	}
	rest = &unstarted{inputs: in}
	r.mu.Lock()
	r.running, r.failed = 0, 0 // children are counted as they come
	r.mu.Unlock()
	for err == nil {
		if rest.next, err = in.Next(); err == nil {
			err = r.child(ctx, rest.index, rest.next)
		}
		if err == nil {
			rest.index++
			rest.next = nil
		}
	}
	if errors.Is(err, io.EOF) {
		err = r.fewer(ctx, 1)
	}
	if err != nil && r.s.ctx.Err() == nil {
		r.stopChildren()
	}
	return rest, err
}

// count reads the list once, so that how much there is to do is known from the start: a tolerated percentage is one of
// all children.
func (r *mapRun) count(ctx context.Context, m asl.MapRun) error {
	if r.record.Counted {
		return nil
	}
	in, err := m.Open(ctx, "")
	if err != nil {
		return err
	}
	defer in.Close()
	children := 0
	for ; ; children++ {
		_, err := in.Next()
		if err == io.EOF {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	return r.change(func(record *runRecord) {
		record.Counted, record.ETag, record.Children = true, in.ETag(), children
	})
}

// end records how the Map Run ended.
func (r *mapRun) end(status asl.Status) error {
	return r.change(func(record *runRecord) {
		record.Status, record.Stop = status, r.s.clock.Now().UTC().Truncate(time.Millisecond)
	})
}

// change changes the record and keeps it.
func (r *mapRun) change(f func(*runRecord)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.record)
	r.signal()
	return r.save()
}

// signal wakes all that wait for a change. The caller holds mu.
func (r *mapRun) signal() {
	close(r.changed)
	r.changed = make(chan struct{})
}

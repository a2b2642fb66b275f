package sfn

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// load reads which executions of m there are.
func (s *Service) load(m *machine) error {
	paths, err := filepath.Glob(filepath.Join(m.dir, "*.jsonl"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		e, err := s.loadOne(m, path)
		if errors.Is(err, io.EOF) { // a crash cut the header short: nothing had started, and the name is free
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			s.log.Warn("an execution's file cannot be read and is left out", "file", path, "error", err)
			continue
		}
		s.add(m, e)
	}
	slices.SortStableFunc(m.executions, func(a, b *execution) int {
		return cmp.Or(a.start.Compare(b.start), a.index-b.index)
	})
	return nil
}

func (s *Service) loadOne(m *machine, path string) (*execution, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	last, err := readLast(f)
	if err != nil {
		return nil, err
	}
	e := newExecution(m, h)
	e.redrives, e.redriven = last.Redrives, last.Redriven
	if status, ended := endOf(last.Event); ended {
		e.status, e.stop = status, last.Event.Time
		close(e.done)
	}
	return e, nil
}

// endOf is how an execution ended, by its last event.
func endOf(e *asl.Event) (asl.Status, bool) {
	if e == nil {
		return "", false
	}
	status, ok := map[asl.EventType]asl.Status{
		"ExecutionSucceeded": asl.StatusSucceeded, "ExecutionFailed": asl.StatusFailed,
		"ExecutionTimedOut": asl.StatusTimedOut, "ExecutionAborted": asl.StatusAborted,
	}[e.Type]
	return status, ok
}

// resume goes on with an execution that ran when the last process ended.
func (s *Service) resume(e *execution) {
	f, resume, input, err := recoverRun(e.path)
	if err != nil {
		s.log.Error("an execution cannot be resumed", "execution", e.arn, "error", err)
		s.end(e, asl.StatusFailed, s.clock.Now())
		return
	}
	s.log.Info("resuming an execution", "execution", e.arn)
	s.run(s.arm(e), e, f, input, resume)
}

// recoverRun reads how far an execution got, and opens its file to go on. A nil resume: it has not started.
func recoverRun(path string) (f *os.File, resume *asl.Resume, input []byte, err error) {
	if f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, nil, nil, err
	}
	end, err := readLines(f, func(text []byte) error {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if l.Execution != nil {
			input = []byte(l.Execution.Input)
		}
		if l.Checkpoint != nil {
			resume = &asl.Resume{Checkpoint: *l.Checkpoint}
		}
		if l.Event != nil && resume != nil {
			resume.Events = append(resume.Events, l.Event.WithoutData())
		}
		return nil
	})
	if err == nil {
		err = f.Truncate(end) // what a crash cut short
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, f.Close())
	}
	return f, resume, input, nil
}

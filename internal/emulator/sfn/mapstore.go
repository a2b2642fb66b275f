package sfn

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// A Map Run is kept in <dir>/<machine>/runs/<its ID>/: run.json, and a file for each child as for any execution.
const (
	runsDir = "runs"
	runFile = "run.json"
)

func (r *mapRun) save() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saveLocked()
}

// saveLocked writes the record in one step: a crash leaves the old one or the new one.
func (r *mapRun) saveLocked() error {
	text, err := json.Marshal(r.record)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(r.dir, runFile)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// loadRuns reads the Map Runs of a machine's executions and their children.
func (s *Service) loadRuns(m *machine) error {
	dirs, err := os.ReadDir(filepath.Join(s.store.dir, fileName(m.name), runsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, d := range dirs {
		path := filepath.Join(s.store.dir, fileName(m.name), runsDir, d.Name())
		if err := s.loadRun(m, path); err != nil {
			s.log.Warn("a Map Run's file cannot be read and is left out", "dir", path, "error", err)
		}
	}
	return err
}

func (s *Service) loadRun(m *machine, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, runFile))
	if err != nil {
		return err
	}
	var record runRecord
	if err := json.Unmarshal(text, &record); err != nil {
		return err
	}
	parent := s.byARN[record.ExecutionARN]
	if parent == nil {
		return errors.New("its execution is not there")
	}
	r := s.newRun(parent, record, m.parsed.Child(record.Label))
	if err := s.loadFrom(r.children, dir); err != nil {
		return err
	}
	s.addRun(r)
	return nil
}

// orphans are the Map Runs whose execution ended without them.
func (s *Service) orphans() []*mapRun {
	var list []*mapRun
	for _, r := range s.runs {
		if r.record.Status == asl.StatusRunning && r.parent.status != asl.StatusRunning {
			list = append(list, r)
		}
	}
	return list
}

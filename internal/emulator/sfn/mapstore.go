package sfn

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// A Map Run is kept in <dir>/<machine>/runs/<its ID>/: run.json, and a file for each child as for any execution.
const (
	runsDir = "runs"
	runFile = "run.json"
)

// save writes the record in one step: a crash leaves the old one or the new one.
func (r *mapRun) save() error {
	text, err := json.Marshal(r.record)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.children.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(r.children.dir, runFile)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// loadRuns reads the Map Runs of a machine's executions and their children.
func (s *Service) loadRuns(m *machine) error {
	files, err := filepath.Glob(filepath.Join(m.dir, runsDir, "*", runFile))
	for _, file := range files {
		if err := s.loadRun(m, file); err != nil {
			s.log.Warn("a Map Run's file cannot be read and is left out", "file", file, "error", err)
		}
	}
	return err
}

func (s *Service) loadRun(m *machine, file string) error {
	text, err := os.ReadFile(file)
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
	if err := s.load(r.children); err != nil {
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

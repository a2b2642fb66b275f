package scenariotest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// state is a directory that outlives the stand-in: a file for each job, and the key that signs URLs. The empty one keeps
// nothing.
type state string

const (
	jobSuffix = ".json"
	keyName   = "key"
)

func (s state) file(id string) string { return filepath.Join(string(s), id+jobSuffix) }

// put writes a job's file, whole or not at all.
func (s state) put(j *job) error {
	if s == "" {
		return nil
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return s.write(s.file(j.ID), text)
}

func (s state) write(path string, text []byte) error {
	temporary, err := os.CreateTemp(string(s), ".new-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(text)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// get reads a job's file; nil if there is none that can be read.
func (s state) get(id string) *job {
	if s == "" || id == "" || strings.ContainsAny(id, `/\.`) {
		return nil
	}
	text, err := os.ReadFile(s.file(id))
	j := &job{}
	if err != nil || json.Unmarshal(text, j) != nil {
		return nil
	}
	return j
}

// load gives the latest jobs, in the order of their launches, and the key that signs URLs, which is made the first time.
func (s state) load() (list []*job, key []byte, err error) {
	key = []byte(rand.Text())
	if s == "" {
		return nil, key, nil
	}
	path := filepath.Join(string(s), keyName)
	switch kept, err := os.ReadFile(path); {
	case err == nil:
		key = kept
	case !os.IsNotExist(err):
		return nil, nil, err
	default:
		if err := s.write(path, key); err != nil {
			return nil, nil, err
		}
	}
	entries, err := os.ReadDir(string(s))
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return modifiedAt(b).Compare(modifiedAt(a)) }) // the latest first
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), jobSuffix)
		if !ok || len(list) == maxFinished { // the others are read when they are asked for
			continue
		}
		j := s.get(id)
		if j == nil {
			return nil, nil, fmt.Errorf("%s is no job's file", e.Name())
		}
		list = append(list, j)
	}
	slices.SortStableFunc(list, func(a, b *job) int { return a.Created.Compare(b.Created) })
	return list, key, nil
}

func modifiedAt(e os.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil { // it was removed meanwhile
		return time.Time{}
	}
	return info.ModTime()
}

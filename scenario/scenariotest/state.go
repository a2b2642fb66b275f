package scenariotest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// state is a directory that outlives the stand-in: a file for each job, the assets that were put, and the key that signs
// URLs. The empty one keeps nothing.
type state string

const (
	jobSuffix = ".json"
	keyName   = "key"
	// catalogueName is the file of the assets that were put, one JSON object a line. A later line replaces an earlier one
	// of the same ID, so that a change of one asset does not write all of them.
	catalogueName = "catalogue.jsonl"
)

func (s state) file(name string) string { return filepath.Join(string(s), name) }

// put writes a job's file, whole or not at all.
func (s state) put(j *job) error {
	if s == "" {
		return nil
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return s.write(s.file(j.ID+jobSuffix), text)
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
	text, err := os.ReadFile(s.file(id + jobSuffix))
	j := &job{}
	if err != nil || json.Unmarshal(text, j) != nil {
		return nil
	}
	return j
}

// key gives what signs URLs, which is made the first time.
func (s state) key() ([]byte, error) {
	made := []byte(rand.Text())
	if s == "" {
		return made, nil
	}
	kept, err := os.ReadFile(s.file(keyName))
	if os.IsNotExist(err) {
		return made, s.write(s.file(keyName), made)
	}
	return kept, err
}

// load gives the latest jobs, in the order of their launches.
func (s state) load() (list []*job, err error) {
	if s == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(string(s))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return modifiedAt(b).Compare(modifiedAt(a)) }) // the latest first
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), jobSuffix)
		if !ok || len(list) == maxFinished { // the others are read when they are asked for
			continue
		}
		j := s.get(id)
		if j == nil {
			return nil, fmt.Errorf("%s is no job's file", e.Name())
		}
		list = append(list, j)
	}
	slices.SortStableFunc(list, func(a, b *job) int { return a.Created.Compare(b.Created) })
	return list, nil
}

func modifiedAt(e os.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil { // it was removed meanwhile
		return time.Time{}
	}
	return info.ModTime()
}

// loadCatalogue gives the assets that were put, each as the last line has it, and leaves one line of each in the file.
func (s state) loadCatalogue() (map[string]*CatalogueAsset, error) {
	byID := map[string]*CatalogueAsset{}
	if s == "" {
		return byID, nil
	}
	text, err := os.ReadFile(s.file(catalogueName))
	if os.IsNotExist(err) {
		return byID, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // the stand-in was killed while it wrote this one, before it answered
		}
		var a CatalogueAsset
		if err := json.Unmarshal(line, &a); err != nil || !exists(a.ID) {
			return nil, fmt.Errorf("%s has a line that is no asset", catalogueName)
		}
		byID[a.ID] = &a
	}
	compact, err := jsonLines(maps.Values(byID))
	if err != nil {
		return nil, err
	}
	return byID, s.write(s.file(catalogueName), compact)
}

func jsonLines(list iter.Seq[*CatalogueAsset]) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for a := range list {
		if err := encoder.Encode(a); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// keepAssets adds the assets to the file, as they are now.
func (s state) keepAssets(list []*CatalogueAsset) error {
	if s == "" || len(list) == 0 {
		return nil
	}
	text, err := jsonLines(slices.Values(list))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.file(catalogueName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

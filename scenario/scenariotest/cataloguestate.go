package scenariotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// catalogueName is the file of the assets that were put, one JSON object a line. A later line replaces an earlier one of
// the same ID, so that a change of one asset does not write all of them.
const catalogueName = "catalogue.jsonl"

func (s state) catalogueFile() string { return filepath.Join(string(s), catalogueName) }

// loadCatalogue gives the assets that were put, each as the last line has it, and leaves one line of each in the file.
func (s state) loadCatalogue() (map[string]*CatalogueAsset, error) {
	byID := map[string]*CatalogueAsset{}
	if s == "" {
		return byID, nil
	}
	text, err := os.ReadFile(s.catalogueFile())
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
	var compact []byte
	for _, a := range byID {
		if compact, err = appendLine(compact, a); err != nil {
			return nil, err
		}
	}
	return byID, s.write(s.catalogueFile(), compact)
}

func appendLine(text []byte, a *CatalogueAsset) ([]byte, error) {
	line, err := json.Marshal(a)
	return append(append(text, line...), '\n'), err
}

// keepAssets adds the assets to the file, as they are now.
func (s state) keepAssets(list []*CatalogueAsset) (err error) {
	if s == "" || len(list) == 0 {
		return nil
	}
	var text []byte
	for _, a := range list {
		if text, err = appendLine(text, a); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(s.catalogueFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

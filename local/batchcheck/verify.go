package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// manifest is what of manifest.json is checked.
type manifest struct {
	Complete bool
	Totals   struct {
		Archives, Failed, Assets, Duplicates, Missing int
		Size, Entries                                 int64
	}
	Archives []entry
	Failed   []entry
}

type entry struct {
	Key      string
	Size     int64
	Entries  int
	Error    string
	AssetIDs []string `json:"assetIds"`
}

type totals struct {
	archives, assets int
	bytes            int64
}

// verify reads the manifest and every archive: each asset of the list must be in exactly one archive, or in one that
// failed.
func (h *check) verify(ids []string, folder string, failed int) (totals, error) {
	var m manifest
	text, err := os.ReadFile(filepath.Join(h.BucketDir(), folder, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return totals{}, err
	}
	archives := h.archives()
	if len(m.Archives) != archives-failed || len(m.Failed) != failed || m.Complete != (failed == 0) ||
		m.Totals.Assets != len(ids) || m.Totals.Duplicates != 1 || m.Totals.Archives != len(m.Archives) {
		return totals{}, fmt.Errorf("the manifest has %d archives, %d failed, totals %+v", len(m.Archives), len(m.Failed), m.Totals)
	}
	seen := map[string]string{}
	t := totals{archives: len(m.Archives)}
	for _, e := range m.Archives {
		if err := h.readArchive(e, seen); err != nil {
			return t, err
		}
		t.assets += len(e.AssetIDs)
		t.bytes += e.Size
	}
	if t.bytes != m.Totals.Size {
		return t, fmt.Errorf("the archives have %d bytes, the manifest says %d", t.bytes, m.Totals.Size)
	}
	for _, e := range m.Failed {
		if e.Error != "JobFailed" {
			return t, fmt.Errorf("%s failed with %s", e.Key, e.Error)
		}
		if err := note(seen, e.AssetIDs, e.Key); err != nil {
			return t, err
		}
	}
	for _, id := range ids {
		if seen[id] == "" {
			return t, fmt.Errorf("%s is lost", id)
		}
	}
	if len(seen) != len(ids) {
		return t, fmt.Errorf("there are %d assets, not %d", len(seen), len(ids))
	}
	return t, nil
}

// note says where assets are, and refuses those that are somewhere already.
func note(seen map[string]string, ids []string, key string) error {
	for _, id := range ids {
		if seen[id] != "" {
			return fmt.Errorf("%s is in %s and in %s", id, seen[id], key)
		}
		seen[id] = key
	}
	return nil
}

// readArchive reads all of a ZIP file, checksums included: its files are those that the manifest names, once each.
func (h *check) readArchive(e entry, seen map[string]string) error {
	z, err := zip.OpenReader(filepath.Join(h.BucketDir(), filepath.FromSlash(e.Key)))
	if err != nil {
		return fmt.Errorf("%s: %w", e.Key, err)
	}
	defer z.Close()
	var ids []string
	for _, f := range z.File {
		if err := readFile(f); err != nil {
			return fmt.Errorf("%s: %s: %w", e.Key, f.Name, err)
		}
		ids = append(ids, strings.TrimSuffix(path.Base(f.Name), path.Ext(f.Name)))
	}
	if len(ids) != len(e.AssetIDs) || len(ids) != e.Entries {
		return fmt.Errorf("%s has %d files, and %d assets and %d entries in the manifest", e.Key, len(ids), len(e.AssetIDs), e.Entries)
	}
	if err := note(seen, ids, e.Key); err != nil {
		return err
	}
	for _, id := range e.AssetIDs {
		if seen[id] != e.Key {
			return fmt.Errorf("%s is not in %s, where the manifest has it", id, e.Key)
		}
	}
	return nil
}

func readFile(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r) // an error also when the checksum is wrong
	return errors.Join(err, r.Close())
}

// objects are the archives that are in S3, and when they were written.
func (h *check) objects(folder string) (map[string]time.Time, error) {
	there := map[string]time.Time{}
	err := filepath.WalkDir(filepath.Join(h.BucketDir(), folder), func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".zip") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			there[file] = info.ModTime()
		}
		return err
	})
	return there, err
}

// same says whether the archives that were there are still the same files.
func (h *check) same(folder string, before map[string]time.Time) error {
	now, err := h.objects(folder)
	if err != nil {
		return err
	}
	for file, at := range before {
		if !now[file].Equal(at) {
			return fmt.Errorf("%s was written again", filepath.Base(file))
		}
	}
	return nil
}

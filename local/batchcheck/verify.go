package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/local/harness"
)

type totals struct {
	archives, assets, objects int
	bytes                     int64
}

// verify reads the manifest, every archive and every object that was unpacked: each asset of the list must be in exactly
// one archive, or in one that failed.
func (h *check) verify(ids []string, prefix string, failed int) (totals, error) {
	m, err := h.Manifest(prefix)
	if err != nil {
		return totals{}, err
	}
	if len(m.Archives) != h.archives()-failed || len(m.Failed) != failed || m.Complete != (failed == 0) ||
		m.Totals.Assets != len(ids) || m.Totals.Duplicates != 1 || m.Totals.Archives != len(m.Archives) {
		return totals{}, fmt.Errorf("the manifest has %d archives, %d failed, totals %+v", len(m.Archives), len(m.Failed), m.Totals)
	}
	seen := map[string]string{}
	t := totals{archives: len(m.Archives)}
	for _, a := range m.Archives {
		if err := errors.Join(note(seen, a.AssetIDs, a.Key), h.verifyArchive(a.Output, a.AssetIDs)); err != nil {
			return t, fmt.Errorf("%s: %w", a.Key, err)
		}
		t.assets += len(a.AssetIDs)
		t.bytes += a.Size
		t.objects += int(a.Unpacked.Objects)
	}
	if t.bytes != m.Totals.Size {
		return t, fmt.Errorf("the archives have %d bytes, the manifest says %d", t.bytes, m.Totals.Size)
	}
	for _, f := range m.Failed {
		if f.Error != "JobFailed" {
			return t, fmt.Errorf("%s failed with %s", f.Key, f.Error)
		}
		if err := note(seen, f.AssetIDs, f.Key); err != nil {
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
	return t, h.onlyThese(prefix, t)
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

// verifyArchive reads an archive, whose files must be of the assets that the manifest names, and compares each object that
// it was unpacked to with what Scenario has.
func (h *check) verifyArchive(a archive.Output, assets []string) error {
	ids, err := harness.ReadZIP(h.File(a.Key))
	if err != nil {
		return err
	}
	if want := slices.Sorted(slices.Values(assets)); !slices.Equal(ids, want) || len(ids) != int(a.Entries) {
		return fmt.Errorf("it has the files %v, and %v and %d entries in the manifest", ids, want, a.Entries)
	}
	return h.CheckUnpacked(a.Key, a.Unpacked, func(asset string, content []byte) error {
		want, err := harness.Source(asset, 0)
		if err == nil && !bytes.Equal(content, want) {
			err = errors.New("it is not what the stand-in has")
		}
		return err
	})
}

// onlyThese refuses objects below the prefix that no archive accounts for: each has its ZIP and the list of its contents,
// and there is one manifest.
func (h *check) onlyThese(prefix string, t totals) error {
	there := map[string]time.Time{}
	if err := h.files(prefix, there); err != nil {
		return err
	}
	if want := t.objects + 2*t.archives + 1; len(there) != want {
		return fmt.Errorf("%d objects are there, want %d", len(there), want)
	}
	return nil
}

// files adds the objects below the prefix to those that are known, by when they were written, and refuses those that were
// written again or are gone.
func (h *check) files(prefix string, known map[string]time.Time) error {
	now := map[string]time.Time{}
	err := filepath.WalkDir(h.File(prefix), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			now[file] = info.ModTime()
		}
		return err
	})
	for file, at := range known {
		if written, is := now[file]; !is || !written.Equal(at) {
			return fmt.Errorf("%s was written again, or is gone", file)
		}
	}
	maps.Copy(known, now)
	return err
}

package harness

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// Manifest is what is checked of a batch's manifest.
type Manifest struct {
	Complete bool
	Totals   batch.Totals
	Archives []struct {
		archive.Output
		AssetIDs []string `json:"assetIds"`
	}
	Failed []struct {
		Key, Error, Cause string
		AssetIDs          []string `json:"assetIds"`
	}
}

// Manifest reads the manifest below a batch's prefix.
func (h *Harness) Manifest(prefix string) (m Manifest, err error) {
	text, err := os.ReadFile(h.File(prefix + "/manifest.json"))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// File is the file of the bucket's object.
func (h *Harness) File(key string) string {
	return filepath.Join(h.BucketDir(), filepath.FromSlash(key))
}

// AssetOf is the asset that an archive's file is of, when the archive was asked for with the template "<assetId>".
func AssetOf(name string) string { return strings.TrimSuffix(path.Base(name), path.Ext(name)) }

// Source is what the stand-in has for an asset in one of its versions.
func Source(asset string, version int) ([]byte, error) {
	source, err := scenariotest.AssetFile(scenariotest.Options{}, asset, version)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(source)
}

// ReadZIP reads all files of a ZIP, checksums included, and returns the IDs of their assets, sorted.
func ReadZIP(file string) ([]string, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var ids []string
	for _, f := range z.File {
		content, err := f.Open()
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, content) // an error also when its CRC-32 is wrong
		if err := errors.Join(err, content.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		ids = append(ids, AssetOf(f.Name))
	}
	slices.Sort(ids)
	return ids, nil
}

// CheckUnpacked holds the objects that an archive was unpacked to against its files, in its order, and gives each to
// compare unless that is nil.
func (h *Harness) CheckUnpacked(key string, u *archive.Unpacked, compare func(asset string, content []byte) error) error {
	if u == nil {
		return errors.New("it succeeded and says nothing of the unpacking")
	}
	z, err := zip.OpenReader(h.File(key))
	if err != nil {
		return err
	}
	defer z.Close()
	list, err := os.Open(h.File(u.Contents))
	if err != nil {
		return err
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	for _, f := range z.File {
		var l struct{ Name, Key, CRC32 string }
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &l) != nil || l.Name != f.Name || l.CRC32 != fmt.Sprintf("%08x", f.CRC32) {
			return fmt.Errorf("%s is not listed as it should: %q", f.Name, lines.Text())
		}
		content, err := os.ReadFile(h.File(l.Key))
		if err != nil {
			return err
		}
		if sum := crc32.ChecksumIEEE(content); uint64(len(content)) != f.UncompressedSize64 || sum != f.CRC32 {
			return fmt.Errorf("%s has %d bytes with the CRC-32 %08x, want %d with %08x", l.Key, len(content), sum, f.UncompressedSize64, f.CRC32)
		}
		if compare != nil {
			if err := compare(AssetOf(f.Name), content); err != nil {
				return fmt.Errorf("%s: %w", l.Key, err)
			}
		}
	}
	if lines.Scan() || u.Objects != int64(len(z.File)) {
		return fmt.Errorf("%d files, and more in the list (%q) or not as many in the output: %+v", len(z.File), lines.Text(), u)
	}
	return nil
}

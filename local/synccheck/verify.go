package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// verify compares a sync's folder with the stand-in: each asset's file, byte by byte, and its record; and nothing else is
// there.
func (c *check) verify(prefix string) error {
	folder := filepath.Join(c.BucketDir(), prefix)
	for id, version := range c.versions {
		source, err := harness.Source(id, version)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(folder, "assets", id+".png"))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, source) {
			return fmt.Errorf("%s is not what the stand-in has", id)
		}
		text, err := os.ReadFile(filepath.Join(folder, "metadata", id+".json"))
		if err != nil {
			return err
		}
		var record struct {
			ID, Key, CRC32, ContentType string
			Size                        int
		}
		if err := json.Unmarshal(text, &record); err != nil {
			return fmt.Errorf("the record of %s: %w", id, err)
		}
		if record.ID != id || record.Key != prefix+"/assets/"+id+".png" || record.Size != len(source) ||
			record.CRC32 != fmt.Sprintf("%08x", crc32.ChecksumIEEE(source)) || record.ContentType != "image/png" {
			return fmt.Errorf("the record of %s is %s", id, text)
		}
		if bytes.Contains(text, []byte("Signature")) {
			return fmt.Errorf("the record of %s has a signed URL", id)
		}
	}
	for _, kind := range []string{"assets", "metadata"} {
		if n := c.files(prefix + "/" + kind); n != len(c.versions) {
			return fmt.Errorf("%s has %d files, not %d", kind, n, len(c.versions))
		}
	}
	if left := c.files(prefix + "/incoming"); left > 0 {
		return fmt.Errorf("%d entries are left in incoming", left)
	}
	return nil
}

// files counts the entries of a folder of the bucket.
func (c *check) files(folder string) int {
	entries, _ := os.ReadDir(filepath.Join(c.BucketDir(), filepath.FromSlash(folder)))
	return len(entries)
}

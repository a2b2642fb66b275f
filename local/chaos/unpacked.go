package main

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// checkUnpacked holds the unpacked objects against the archive's files, in its order.
func (c *chaos) checkUnpacked(file string, u *archive.Unpacked) error {
	if u == nil {
		return errors.New("it succeeded and says nothing of the unpacking")
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer z.Close()
	list, err := os.Open(filepath.Join(c.BucketDir(), filepath.FromSlash(u.Contents)))
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
		if err := sameContent(filepath.Join(c.BucketDir(), filepath.FromSlash(l.Key)), f); err != nil {
			return fmt.Errorf("%s: %w", l.Key, err)
		}
	}
	if lines.Scan() || u.Objects != int64(len(z.File)) {
		return fmt.Errorf("%d files, and more in the list (%q) or not as many in the output: %+v", len(z.File), lines.Text(), u)
	}
	return nil
}

func sameContent(object string, f *zip.File) error {
	o, err := os.Open(object)
	if err != nil {
		return err
	}
	defer o.Close()
	sum := crc32.NewIEEE()
	if n, err := io.Copy(sum, o); err != nil || n != int64(f.UncompressedSize64) || sum.Sum32() != f.CRC32 {
		return fmt.Errorf("%d bytes with the CRC-32 %08x, want %d with %08x (%v)", n, sum.Sum32(), f.UncompressedSize64, f.CRC32, err)
	}
	return nil
}

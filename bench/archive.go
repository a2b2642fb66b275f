package main

import (
	"archive/zip"
	"bytes"
	"math/rand/v2"
	"os"
)

// makeArchive writes a file of exactly size bytes that ends in a ZIP archive, as a self-extracting one does: nobody here
// unpacks it, only its directory is read. Before it are random bytes, or, where disks should not count, a hole.
func makeArchive(path string, size int64, dense bool) error {
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	if _, err := w.Create("asset.png"); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	left := size - int64(z.Len())
	if dense {
		block := make([]byte, 1<<20)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(block)
		for ; left > 0; left -= min(left, int64(len(block))) {
			if _, err := f.Write(block[:min(left, int64(len(block)))]); err != nil {
				return err
			}
		}
	}
	_, err = f.WriteAt(z.Bytes(), size-int64(z.Len()))
	return err
}

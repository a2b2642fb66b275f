package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
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

// makeZIP writes an archive of random bytes. What is to be deflated is half zeros, in small pieces.
func makeZIP(path string, row unpackRow) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := zip.NewWriter(buffered)
	method := zip.Store
	if row.deflated {
		method = zip.Deflate
	}
	random := rand.NewChaCha8([32]byte{2})
	block := make([]byte, 1<<20)
	for i := range row.entries {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: entryName(i), Method: method})
		if err != nil {
			return err
		}
		for left := row.size; left > 0; left -= min(left, int64(len(block))) {
			fill(block, random, row.deflated)
			if _, err := entry.Write(block[:min(left, int64(len(block)))]); err != nil {
				return err
			}
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

func entryName(i int) string { return fmt.Sprintf("assets/%06d.png", i) }

// makeHollowZIP writes an archive of stored zeros that takes no room on the disk.
func makeHollowZIP(path string, row unpackRow) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hollow := &hollowWriter{file: f}
	w := zip.NewWriter(hollow)
	sum := crc32.NewIEEE()
	if _, err := io.CopyN(sum, zeros{}, row.size); err != nil {
		return err
	}
	for i := range row.entries {
		entry, err := w.CreateRaw(&zip.FileHeader{
			Name: entryName(i), Method: zip.Store, CRC32: sum.Sum32(),
			CompressedSize64: uint64(row.size), UncompressedSize64: uint64(row.size),
		})
		if err == nil {
			_, err = io.CopyN(entry, zeros{}, row.size)
		}
		if err != nil {
			return err
		}
	}
	return w.Close()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// hollowWriter leaves a hole where there are nothing but zeros. A ZIP ends with more than that.
type hollowWriter struct {
	file *os.File
	at   int64
}

var empty [64 << 10]byte

func (w *hollowWriter) Write(p []byte) (int, error) {
	if len(p) > 1<<10 && len(p) <= len(empty) && bytes.Equal(p, empty[:len(p)]) {
		w.at += int64(len(p))
		return len(p), nil
	}
	n, err := w.file.WriteAt(p, w.at)
	w.at += int64(n)
	return n, err
}

func fill(block []byte, random *rand.ChaCha8, half bool) {
	_, _ = random.Read(block) // never fails
	for i := 0; half && i < len(block); i += 1024 {
		clear(block[i : i+512])
	}
}

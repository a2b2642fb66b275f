package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
)

// makeZIP writes an archive of random bytes. What is to be deflated is half zeros, in small pieces. A hollow archive is of
// zeros, and takes next to no room on the disk.
func makeZIP(path string, row unpackRow, hollow bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var content io.Reader = rand.NewChaCha8([32]byte{2})
	method := zip.Store
	if row.deflated {
		content, method = halfZeros{content}, zip.Deflate
	}
	if hollow {
		content = zeros{}
	}
	w := zip.NewWriter(&hollowWriter{file: f})
	w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(to, flate.BestSpeed)
	})
	for i := range row.entries {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("assets/%06d.png", i), Method: method})
		if err == nil {
			_, err = io.CopyN(entry, content, row.size)
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

// halfZeros is a reader's bytes, each second half a KiB of them cleared.
type halfZeros struct{ io.Reader }

func (h halfZeros) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	for i := 0; i < n; i += 1024 {
		clear(p[i:min(i+512, n)])
	}
	return n, err
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

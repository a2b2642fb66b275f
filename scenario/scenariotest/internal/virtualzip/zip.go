package virtualzip

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"time"
)

// File is one file of an archive.
type File struct {
	// Name is its path in the archive: UTF-8, with forward slashes, at most 65535 bytes.
	Name string
	// Content is what it holds, stored without compression.
	Content *Content
}

// Archive is a ZIP file.
type Archive struct {
	*Content
	// ETag is a strong entity tag, quotes included; equal for equal bytes.
	ETag string
	// Files is how many files it has.
	Files int
}

// Zip makes an archive, with ZIP64 records where the format needs them. The names must differ, and modified have a year
// from 1980 to 2107.
func Zip(files []File, modified time.Time) (*Archive, error) {
	digest := sha256.New()
	s := &sink{Content: &Content{}, digest: digest}
	w := zip.NewWriter(s)
	for _, f := range files {
		body, err := w.CreateRaw(header(f, modified))
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			return nil, err
		}
		s.addContent(f.Content)
		s.skip = f.Content.Size()
		if _, err := io.CopyN(body, blank{}, s.skip); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &Archive{Content: s.Content, ETag: `"` + hex.EncodeToString(digest.Sum(nil)[:16]) + `"`, Files: len(files)}, nil
}

func header(f File, modified time.Time) *zip.FileHeader {
	const utf8, dataDescriptor = 0x800, 0x8
	size := uint64(f.Content.Size())
	h := &zip.FileHeader{
		Name: f.Name, CreatorVersion: 45, ReaderVersion: 20, Flags: utf8,
		CRC32: f.Content.CRC32(), CompressedSize64: size, UncompressedSize64: size,
	}
	if size >= math.MaxUint32 { // package zip writes such a size behind the file only
		h.Flags |= dataDescriptor
		h.ReaderVersion = 45
	}
	h.SetMode(0o644)
	//lint:ignore SA1019 CreateRaw takes the time from no other fields than those that this sets
	h.SetModTime(modified)
	return h
}

// A sink takes what package zip writes, but for the bytes of files: those are in the content already.
type sink struct {
	*Content
	digest io.Writer // of all but them; names, sizes and checksums are among it
	skip   int64     // how many of them are still to come
}

func (s *sink) Write(p []byte) (int, error) {
	skipped := min(s.skip, int64(len(p)))
	s.skip -= skipped
	rest := bytes.Clone(p[skipped:])
	s.addLiteral(rest)
	_, _ = s.digest.Write(rest) // never fails
	return len(p), nil
}

// blank stands for the bytes that a sink skips.
type blank struct{}

func (blank) Read(p []byte) (int, error) { return len(p), nil }

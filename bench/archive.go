package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

// makeArchive writes an archive of exactly size bytes with one stored entry: nobody here unpacks it, only its directory is
// read. The content is random bytes, or, where disks should not count, a hole.
func makeArchive(path string, size int64, dense bool) error {
	const room = 1 << 10 // for all but the content
	var length counter
	if err := writeArchive(&length, size-room, "", zeros{}); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	comment := strings.Repeat(" ", int(size-int64(length)))
	if !dense {
		return writeArchive(&hollowWriter{file: f}, size-room, comment, zeros{})
	}
	block := make([]byte, 1<<20)
	fill(block, rand.NewChaCha8([32]byte{1}), false)
	return writeArchive(f, size-room, comment, &repeated{block: block})
}

func writeArchive(to io.Writer, length int64, comment string, content io.Reader) error {
	w := zip.NewWriter(to)
	entry, err := w.CreateRaw(&zip.FileHeader{
		Name: "asset.png", Method: zip.Store, CompressedSize64: uint64(length), UncompressedSize64: uint64(length),
	})
	if err == nil {
		_, err = io.CopyN(entry, content, length)
	}
	return cmp.Or(err, w.SetComment(comment), w.Close())
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// repeated is a block again and again.
type repeated struct {
	block []byte
	at    int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
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

// makeHollowZIP writes an archive of zeros that takes next to no room on the disk.
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
		header := &zip.FileHeader{
			Name: entryName(i), Method: zip.Store, CRC32: sum.Sum32(),
			CompressedSize64: uint64(row.size), UncompressedSize64: uint64(row.size),
		}
		write := func(entry io.Writer) error {
			_, err := io.CopyN(entry, zeros{}, row.size)
			return err
		}
		if row.deflated {
			piece, n := deflatedZeros(row.size)
			header.Method, header.CompressedSize64 = zip.Deflate, uint64(len(piece)*n+len(lastBlock))
			write = func(entry io.Writer) error {
				_, err := entry.Write(append(bytes.Repeat(piece, n), lastBlock...))
				return err
			}
		}
		entry, err := w.CreateRaw(header)
		if err == nil {
			err = write(entry)
		}
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// lastBlock ends what is deflated: an empty block (RFC 1951, section 3.2.3).
const lastBlock = "\x01\x00\x00\xff\xff"

// deflatedZeros is what n times in a row, and then lastBlock, inflates to size zeros: a whole number of MiB.
func deflatedZeros(size int64) (piece []byte, n int) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is valid
	_, _ = io.CopyN(w, zeros{}, 1<<20)           // a buffer takes all
	_ = w.Flush()
	return b.Bytes(), int(size >> 20)
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

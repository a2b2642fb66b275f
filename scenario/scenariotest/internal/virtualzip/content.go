// Package virtualzip makes ZIP files of PNG images that exist only as a description: any range of an archive of many GB
// is computed when it is read, and its size and checksums are known without reading it.
package virtualzip

import (
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"sort"
	"sync"
)

// Content is a sequence of bytes that is computed when read. It does not change once made, and may be read by several
// goroutines at once.
type Content struct {
	segments []segment
	size     int64

	crcOnce sync.Once
	crc     uint32
}

// A segment is bytes as they are, or noise.
type segment struct {
	start   int64
	literal []byte
	phase   int64 // of the noise at the segment's first byte
	length  int64
	crc     uint32 // of noise
}

// Size is the length in bytes.
func (c *Content) Size() int64 { return c.size }

// CRC32 is the IEEE checksum of the whole, had without reading it.
func (c *Content) CRC32() uint32 {
	c.crcOnce.Do(func() {
		for _, s := range c.segments {
			if s.literal != nil {
				c.crc = crc32.Update(c.crc, crc32.IEEETable, s.literal)
			} else {
				c.crc = combineCRC(c.crc, s.crc, s.length)
			}
		}
	})
	return c.crc
}

func (c *Content) addLiteral(b []byte) {
	if len(b) > 0 {
		c.add(segment{literal: b, length: int64(len(b))})
	}
}

// addNoise adds n bytes of noise and gives their checksum.
func (c *Content) addNoise(phase, n int64) uint32 {
	crc := noiseChecksum(phase, n)
	if n > 0 {
		c.add(segment{phase: phase, length: n, crc: crc})
	}
	return crc
}

func (c *Content) addContent(other *Content) {
	for _, s := range other.segments {
		c.add(s)
	}
}

func (c *Content) add(s segment) {
	s.start = c.size
	c.segments = append(c.segments, s)
	c.size += s.length
}

// from gives bytes of the segment from an offset within it on: at least one, and as many as lie in one piece of memory.
func (s segment) from(offset int64) []byte {
	if s.literal != nil {
		return s.literal[offset:]
	}
	piece := noise()[(s.phase+offset)%noiseSize:]
	return piece[:min(int64(len(piece)), s.length-offset)]
}

// pieces gives n bytes from an offset on, or as many as there are, piece by piece without copying.
func (c *Content) pieces(offset, n int64) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := sort.Search(len(c.segments), func(i int) bool {
			return c.segments[i].start+c.segments[i].length > offset
		})
		for n > 0 && i < len(c.segments) {
			s := c.segments[i]
			piece := s.from(offset - s.start)
			piece = piece[:min(int64(len(piece)), n)]
			if !yield(piece) {
				return
			}
			offset += int64(len(piece))
			n -= int64(len(piece))
			if offset == s.start+s.length {
				i++
			}
		}
	}
}

// ReadAt implements [io.ReaderAt].
func (c *Content) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("virtualzip: negative offset %d", offset)
	}
	done := 0
	for piece := range c.pieces(offset, int64(len(p))) {
		done += copy(p[done:], piece)
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// WriteRange writes n bytes from an offset on, or as many as there are, and returns how many it wrote. It copies
// nothing: a writer gets pieces of up to a megabyte, which it must not change.
func (c *Content) WriteRange(w io.Writer, offset, n int64) (int64, error) {
	var written int64
	for piece := range c.pieces(offset, n) {
		wrote, err := w.Write(piece)
		written += int64(wrote)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

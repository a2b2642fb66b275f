package virtualzip

import (
	"fmt"
	"hash/crc32"
	"io"
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

// Truncated gives the first n bytes (all of them, if there are fewer).
func (c *Content) Truncated(n int64) *Content {
	short := &Content{}
	for _, s := range c.segments {
		switch left := min(s.length, n-short.size); {
		case left <= 0:
			return short
		case s.literal != nil:
			short.addLiteral(s.literal[:left])
		default:
			short.addNoise(s.phase, left)
		}
	}
	return short
}

// from gives bytes of the segment from an offset within it on: at least one, and as many as lie in one piece of memory.
func (s segment) from(offset int64) []byte {
	if s.literal != nil {
		return s.literal[offset:]
	}
	piece := noise()[(s.phase+offset)%noiseSize:]
	return piece[:min(int64(len(piece)), s.length-offset)]
}

// visit hands the bytes from an offset on to a function, piece by piece without copying, until it has had n of them, or
// returns false.
func (c *Content) visit(offset, n int64, f func([]byte) bool) {
	i := sort.Search(len(c.segments), func(i int) bool {
		return c.segments[i].start+c.segments[i].length > offset
	})
	for ; i < len(c.segments) && n > 0; i++ {
		s := c.segments[i]
		for within := offset - s.start; within < s.length && n > 0; within = offset - s.start {
			piece := s.from(within)
			piece = piece[:min(int64(len(piece)), n)]
			if !f(piece) {
				return
			}
			offset += int64(len(piece))
			n -= int64(len(piece))
		}
	}
}

// ReadAt implements [io.ReaderAt].
func (c *Content) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("virtualzip: negative offset %d", offset)
	}
	done := 0
	c.visit(offset, int64(len(p)), func(piece []byte) bool {
		done += copy(p[done:], piece)
		return true
	})
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// WriteRange writes n bytes from an offset on, or as many as there are, and returns how many it wrote. It copies
// nothing: a writer gets pieces of up to a megabyte, which it must not change.
func (c *Content) WriteRange(w io.Writer, offset, n int64) (written int64, err error) {
	c.visit(offset, n, func(piece []byte) bool {
		var wrote int
		wrote, err = w.Write(piece)
		written += int64(wrote)
		return err == nil
	})
	return written, err
}

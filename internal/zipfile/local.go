package zipfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

var localMagic = []byte("PK\x03\x04")

// Local is what a local header says.
type Local struct {
	Flags, Method uint16
	NameLen       int
	ExtraLen      int
}

// HeaderLen is how long the whole header is: the content begins behind it.
func (l Local) HeaderLen() int64 { return LocalHeaderLen + int64(l.NameLen) + int64(l.ExtraLen) }

// ParseLocal reads the LocalHeaderLen bytes at an entry's offset; false when they are no local header.
func ParseLocal(b []byte) (Local, bool) {
	le := binary.LittleEndian
	if len(b) < LocalHeaderLen || le.Uint32(b) != localSig {
		return Local{}, false
	}
	return Local{
		Flags: le.Uint16(b[6:]), Method: le.Uint16(b[8:]), NameLen: int(le.Uint16(b[26:])), ExtraLen: int(le.Uint16(b[28:])),
	}, true
}

// likely distinguishes a local header from four bytes that happen to be its signature, in a program say.
func likely(b []byte) bool {
	l, ok := ParseLocal(b)
	version := binary.LittleEndian.Uint16(b[4:]) & 0xff
	known := l.Method <= 20 || l.Method >= 93 && l.Method <= 99 // 4.4.5
	return ok && version <= 63 && l.Flags&0xc000 == 0 && known && l.NameLen > 0
}

// localHeaderIn finds the first local header in b.
func localHeaderIn(b []byte) (at int, found bool) {
	for at < len(b) {
		i := bytes.Index(b[at:], localMagic)
		if i < 0 || len(b)-at-i < LocalHeaderLen {
			return 0, false
		}
		if at += i; likely(b[at:]) {
			return at, true
		}
		at++
	}
	return 0, false
}

// findLocalHeader looks for a local header in n bytes of r, however many they are.
func findLocalHeader(r io.Reader, n int64) (at int64, found bool, err error) {
	in := bufio.NewReaderSize(io.LimitReader(r, n), 64<<10)
	for {
		b, err := in.Peek(32 << 10)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
		if i, found := localHeaderIn(b); found {
			return at + int64(i), true, nil
		}
		if len(b) < 32<<10 {
			if at+int64(len(b)) < n {
				return 0, false, io.ErrUnexpectedEOF
			}
			return 0, false, nil
		}
		skip := len(b) - LocalHeaderLen + 1 // a header may begin in what stays
		_, _ = in.Discard(skip)
		at += int64(skip)
	}
}

// findFront looks for a local header in the first n bytes of a file. One at the very start needs no likelihood.
func findFront(r io.Reader, n int64) (at int64, found bool, err error) {
	in := bufio.NewReaderSize(r, 4<<10)
	b, err := in.Peek(int(min(n, int64(len(localMagic)))))
	if err != nil {
		return 0, false, unexpected(err)
	}
	if bytes.Equal(b, localMagic) {
		return 0, true, nil
	}
	at, found, err = findLocalHeader(in, n)
	if err == nil && !found {
		at = n
	}
	return at, found, err
}

// Package zipfile reads the directory of a ZIP archive that lies elsewhere: by ranges of bytes, entry by entry, in memory
// that does not grow with the archive. It is strict about what is whole: an archive that begins with a local header must
// be accounted for by its directory from the first byte on, so that the end record of a ZIP inside a ZIP is never taken
// for the archive's own.
//
// The format is PKWARE's APPNOTE.TXT 6.3.10; the numbers of sections in this package are its.
package zipfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

const (
	localSig        = 0x04034b50 // 4.3.7
	entrySig        = 0x02014b50 // 4.3.12
	signatureSig    = 0x05054b50 // 4.3.13
	zip64EndSig     = 0x06064b50 // 4.3.14
	zip64LocatorSig = 0x07064b50 // 4.3.15
	endSig          = 0x06054b50 // 4.3.16

	// LocalHeaderLen is how long a local header is without its name and extra field.
	LocalHeaderLen = 30

	entryLen        = 46
	endLen          = 22
	zip64EndLen     = 56
	zip64LocatorLen = 20

	maxComment = 1<<16 - 1
	tailLen    = maxComment + endLen + zip64LocatorLen + zip64EndLen

	max16 = 1<<16 - 1
	max32 = 1<<32 - 1
)

// Opener gives the bytes of the archive from off on, n of them.
type Opener func(ctx context.Context, off, n int64) (io.ReadCloser, error)

// Bytes is the Opener of an archive in memory.
func Bytes(data []byte) Opener {
	return func(_ context.Context, off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data[off : off+n])), nil
	}
}

// Error says why the bytes are no whole ZIP archive. Errors of the Opener and of reading are returned as they are.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

func corrupt(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Directory is where an archive's directory is.
type Directory struct {
	Start, Size int64 // in the file
	Entries     int64 // as counted
	// Ambiguous: the archive is larger than 4 GiB, its writer did not know ZIP64, and an entry is so large that the
	// directory does not say where the next one is. Such an archive is whole, as far as its directory shows.
	Ambiguous bool

	base     int64 // what its offsets count from: the length of a program before the archive
	declared int64 // entries by the end record, modulo modulo
	modulo   int64 // 0: declared is exact
	wrapped  bool  // offsets are modulo 4 GiB
}

func readRange(ctx context.Context, open Opener, off, n int64) ([]byte, error) {
	body, err := open(ctx, off, n)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b := make([]byte, n)
	_, err = io.ReadFull(body, b)
	return b, err
}

// file is a file whose directory is looked for, with its end in memory.
type file struct {
	tail []byte
	at   int64 // where the tail begins
	open Opener
	read int // how often open was called

	// What is known of the front: no local header begins before clean; one begins there if dirty.
	clean int64
	dirty bool
}

// bytes is the Opener that reads from the tail what is in it, and the rest from where the file lies.
func (f *file) bytes(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if at := off - f.at; at >= 0 && at+n <= int64(len(f.tail)) {
		return io.NopCloser(bytes.NewReader(f.tail[at : at+n])), nil
	}
	f.read++
	return f.open(ctx, off, n)
}

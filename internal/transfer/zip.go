package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The end of a ZIP file: APPNOTE.TXT 6.3.10, sections 4.3.12 (central directory), 4.3.14 to 4.3.16 (its end, and ZIP64's).
const (
	zipEntrySig     = 0x02014b50
	zipEndSig       = 0x06054b50
	zip64EndSig     = 0x06064b50
	zip64LocatorSig = 0x07064b50

	zipEntryLen     = 46
	zipEndLen       = 22
	zip64EndLen     = 56
	zip64LocatorLen = 20

	zipMaxComment = 1<<16 - 1
	zipTail       = zipMaxComment + zipEndLen + zip64LocatorLen + zip64EndLen
)

// opener gives the bytes from off on, n of them.
type opener func(ctx context.Context, off, n int64) (io.ReadCloser, error)

func bytesOpener(data []byte) opener {
	return func(_ context.Context, off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data[off : off+n])), nil
	}
}

func corrupt(format string, args ...any) *Error {
	return &Error{Op: "read ZIP directory", Kind: KindCorrupt, Reason: fmt.Sprintf(format, args...)}
}

// zipDirectory is where the central directory is and how much it says it holds.
type zipDirectory struct {
	start, size int64 // in the file; a prefix (a self-extracting program) is counted in
	entries     uint64
}

// readZIP checks that the archive's directory is whole, and counts its entries. It reads the end and then the directory
// once, entry by entry: memory does not depend on how many there are.
func readZIP(ctx context.Context, open opener, size int64) (entries int64, err error) {
	if size < zipEndLen {
		return 0, corrupt("%d bytes are too few for a ZIP archive", size)
	}
	tailLen := min(size, zipTail)
	tail, err := readRange(ctx, open, size-tailLen, tailLen)
	if err != nil {
		return 0, err
	}
	d, err := findDirectory(ctx, open, tail, size)
	if err != nil {
		return 0, err
	}
	if d.size == 0 && d.entries == 0 {
		return 0, nil // an empty archive is an archive
	}
	var dir io.ReadCloser
	if at := d.start - (size - tailLen); at >= 0 {
		dir = io.NopCloser(bytes.NewReader(tail[at : at+d.size]))
	} else if dir, err = open(ctx, d.start, d.size); err != nil {
		return 0, err
	}
	defer dir.Close()
	return countEntries(dir, d)
}

func readRange(ctx context.Context, open opener, off, n int64) ([]byte, error) {
	body, err := open(ctx, off, n)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b := make([]byte, n)
	_, err = io.ReadFull(body, b)
	return b, err
}

// findDirectory looks for the end record from the back; the first whose directory fits is the one.
func findDirectory(ctx context.Context, open opener, tail []byte, size int64) (zipDirectory, error) {
	reason := "no end of a ZIP directory: the archive is cut short, or it is none"
	for i := len(tail) - zipEndLen; i >= 0; i-- {
		if binary.LittleEndian.Uint32(tail[i:]) != zipEndSig {
			continue
		}
		comment := int(binary.LittleEndian.Uint16(tail[i+20:]))
		if i+zipEndLen+comment > len(tail) {
			reason = "the archive's comment is cut short"
			continue
		}
		d, err := directoryOf(ctx, open, tail, i, size)
		if err == nil {
			return d, nil
		}
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindCorrupt {
			return d, err
		}
		reason = e.Reason
	}
	return zipDirectory{}, corrupt("%s", reason)
}

// directoryOf reads the end record at tail[i:].
func directoryOf(ctx context.Context, open opener, tail []byte, i int, size int64) (zipDirectory, error) {
	le := binary.LittleEndian
	end := tail[i:]
	disk, dirDisk := le.Uint16(end[4:]), le.Uint16(end[6:])
	here, total := le.Uint16(end[8:]), le.Uint16(end[10:])
	d := zipDirectory{entries: uint64(total), size: int64(le.Uint32(end[12:]))}
	offset := int64(le.Uint32(end[16:]))
	endAt := size - int64(len(tail)) + int64(i)
	if total == 1<<16-1 || here == 1<<16-1 || d.size == 1<<32-1 || offset == 1<<32-1 {
		d64, offset64, at, err := zip64Directory(ctx, open, tail[:i], endAt)
		if err != nil {
			return d, err
		}
		if at >= 0 {
			d, offset, endAt, disk, dirDisk, here, total = d64, offset64, at, 0, 0, 0, 0
		}
	}
	if disk != 0 || dirDisk != 0 || here != total {
		return d, corrupt("the archive is one of several volumes")
	}
	d.start = endAt - d.size // with a prefix before the archive, its offsets count from the archive's own start
	if d.size < 0 || offset < 0 || d.start < offset {
		return d, corrupt("the directory (%d bytes at %d) does not end where it should (%d)", d.size, offset, endAt)
	}
	if d.entries > uint64(d.size)/zipEntryLen {
		return d, corrupt("%d entries cannot be in a directory of %d bytes", d.entries, d.size)
	}
	return d, nil
}

// zip64Directory reads the ZIP64 record that a locator right before the end record points to. at is where the record
// begins; -1 when there is no locator, and the end record's large numbers are meant as they are.
func zip64Directory(ctx context.Context, open opener, before []byte, endAt int64) (d zipDirectory, offset, at int64, err error) {
	le := binary.LittleEndian
	if len(before) < zip64LocatorLen {
		return d, 0, -1, nil
	}
	locator := before[len(before)-zip64LocatorLen:]
	if le.Uint32(locator) != zip64LocatorSig {
		return d, 0, -1, nil
	}
	if le.Uint32(locator[4:]) != 0 || le.Uint32(locator[16:]) > 1 {
		return d, 0, 0, corrupt("the archive is one of several volumes")
	}
	// Where it should be without an extensible data sector, and where the locator says: a prefix moves the two apart.
	last := endAt - zip64LocatorLen - zip64EndLen
	for _, at := range []int64{last, int64(le.Uint64(locator[8:]))} {
		if at < 0 || at > last {
			continue
		}
		record, err := readRange(ctx, open, at, zip64EndLen)
		if err != nil {
			return d, 0, 0, err
		}
		if le.Uint32(record) != zip64EndSig {
			continue
		}
		entries, size, offset := le.Uint64(record[32:]), int64(le.Uint64(record[40:])), int64(le.Uint64(record[48:]))
		if le.Uint64(record[24:]) != entries {
			return d, 0, 0, corrupt("the archive is one of several volumes")
		}
		return zipDirectory{size: size, entries: entries}, offset, at, nil
	}
	return d, 0, 0, corrupt("the ZIP64 end record is missing")
}

// countEntries walks the directory. It must hold as many entries as it says and end exactly where it says.
func countEntries(dir io.Reader, d zipDirectory) (int64, error) {
	in := bufio.NewReaderSize(dir, 32<<10)
	var header [zipEntryLen]byte
	var n uint64
	left := d.size
	for ; left >= zipEntryLen; n++ {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return 0, err
		}
		if binary.LittleEndian.Uint32(header[:]) != zipEntrySig {
			if binary.LittleEndian.Uint32(header[:]) == 0x05054b50 { // a digital signature (4.3.13) may be the last
				left = 0
				break
			}
			return 0, corrupt("entry %d of the directory is damaged", n+1)
		}
		le := binary.LittleEndian
		names := int64(le.Uint16(header[28:])) + int64(le.Uint16(header[30:])) + int64(le.Uint16(header[32:]))
		if left -= zipEntryLen + names; left < 0 {
			return 0, corrupt("entry %d reaches beyond the directory", n+1)
		}
		if offset := le.Uint32(header[42:]); offset != 1<<32-1 && int64(offset) >= d.start {
			return 0, corrupt("entry %d points beyond the archive's data", n+1)
		}
		if _, err := in.Discard(int(names)); err != nil {
			return 0, err
		}
	}
	if left != 0 || n != d.entries {
		return 0, corrupt("the directory says %d entries and holds %d", d.entries, n)
	}
	return int64(n), nil
}

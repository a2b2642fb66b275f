package zipfile

import (
	"context"
	"encoding/binary"
	"errors"
)

// maxRead bounds how often the file is read for end records that turn out not to be the archive's: a comment may hold
// thousands that only look like one.
const maxRead = 8

// Read finds the archive's directory, walks it and checks that it accounts for the archive. size is the file's. It reads
// the end of the file, the directory once (where several end records might be the one, up to 8 times), and what lies
// before the archive and between entries if there is room for an entry that the directory does not have.
func Read(ctx context.Context, open Opener, size int64) (Directory, error) {
	if size < endLen {
		return Directory{}, corrupt("%d bytes are too few for a ZIP archive", size)
	}
	n := min(size, tailLen)
	b, err := readRange(ctx, open, size-n, n)
	if err != nil {
		return Directory{}, err
	}
	f := &file{tail: b, at: size - n, open: open}
	var reason error
	for i := len(b) - endLen; i >= 0 && f.read < maxRead; i-- {
		if binary.LittleEndian.Uint32(b[i:]) != endSig {
			continue
		}
		d, err := f.try(ctx, i)
		if err == nil {
			return d, nil
		}
		if e := (*Error)(nil); !errors.As(err, &e) {
			return Directory{}, err
		}
		reason = err
	}
	if reason == nil {
		reason = corrupt("no end of a ZIP directory: the archive is cut short, or it is none")
	}
	return Directory{}, reason
}

// try takes the end record at f.tail[i:] for the archive's.
func (f *file) try(ctx context.Context, i int) (Directory, error) {
	after := i + endLen + int(binary.LittleEndian.Uint16(f.tail[i+20:]))
	if after > len(f.tail) {
		return Directory{}, corrupt("the archive's comment is cut short")
	}
	d, err := f.directory(ctx, i)
	if err != nil {
		return d, err
	}
	if at, found := localHeaderIn(f.tail[after:]); found {
		return d, corrupt("a local header lies behind the end of the archive, at %d", f.at+int64(after+at))
	}
	if d.Size >= 4 && d.Start >= f.at {
		if sig := binary.LittleEndian.Uint32(f.tail[d.Start-f.at:]); sig != entrySig && sig != signatureSig {
			return d, corrupt("there is no directory where the end record says")
		}
	}
	return d, f.check(ctx, &d)
}

// directory reads the end record at f.tail[i:], and ZIP64's where there is one.
func (f *file) directory(ctx context.Context, i int) (Directory, error) {
	le := binary.LittleEndian
	end := f.tail[i:]
	disk, dirDisk := le.Uint16(end[4:]), le.Uint16(end[6:])
	here, total := le.Uint16(end[8:]), le.Uint16(end[10:])
	d := Directory{Size: int64(le.Uint32(end[12:])), declared: int64(total), modulo: 1 << 16}
	offset, endAt := int64(le.Uint32(end[16:])), f.at+int64(i)
	large := total == max16 || here == max16 || d.Size == max32 || offset == max32
	r, err := f.zip64(ctx, i, large)
	switch {
	case err != nil:
		return d, err
	case r != nil:
		d, offset, endAt = Directory{Size: r.size, declared: r.entries}, r.offset, r.at
	case disk != 0 || dirDisk != 0 || here != total:
		return d, corrupt("the archive is one of several volumes")
	}
	d.Start = endAt - d.Size
	if d.Size < 0 || offset < 0 || d.Start < offset || d.Start < 0 {
		return d, corrupt("the directory (%d bytes at %d) does not end where it should (%d)", d.Size, offset, endAt)
	}
	// With a program before the archive, its offsets may count from the archive's own start.
	d.base = d.Start - offset
	// A writer that does not know ZIP64 lets the numbers of an archive over 4 GiB overflow.
	if r == nil && d.base > 0 && d.base%(max32+1) == 0 {
		d.base, d.wrapped = 0, true
	}
	if d.declared > d.Size/entryLen || d.declared < 0 {
		return d, corrupt("%d entries cannot be in a directory of %d bytes", d.declared, d.Size)
	}
	return d, nil
}

// zip64End is what a ZIP64 end record says, and where it begins.
type zip64End struct{ entries, size, offset, at int64 }

// zip64 reads the record that a locator right before the end record at f.tail[i:] points to; nil when there is none. A
// locator is followed whether the end record's own numbers are too small (large) or would do: many writers make both. One
// that leads nowhere while the numbers do is the end of a comment that looks like one.
func (f *file) zip64(ctx context.Context, i int, large bool) (*zip64End, error) {
	le := binary.LittleEndian
	if i < zip64LocatorLen {
		return nil, nil
	}
	locator := f.tail[i-zip64LocatorLen : i]
	if le.Uint32(locator) != zip64LocatorSig {
		return nil, nil
	}
	// Where it is without an extensible data sector, and where the locator says: a program before the archive moves the
	// two apart.
	last := f.at + int64(i) - zip64LocatorLen - zip64EndLen
	for _, at := range []int64{last, int64(le.Uint64(locator[8:]))} {
		if at < 0 || at > last {
			continue
		}
		record, err := readRange(ctx, f.bytes, at, zip64EndLen)
		if err != nil {
			return nil, err
		}
		if le.Uint32(record) != zip64EndSig {
			continue
		}
		if le.Uint32(locator[4:]) != 0 || le.Uint32(locator[16:]) > 1 || le.Uint64(record[24:]) != le.Uint64(record[32:]) {
			return nil, corrupt("the archive is one of several volumes")
		}
		return &zip64End{int64(le.Uint64(record[32:])), int64(le.Uint64(record[40:])), int64(le.Uint64(record[48:])), at}, nil
	}
	if large {
		return nil, corrupt("the ZIP64 end record is missing")
	}
	return nil, nil
}

package zipfile

import (
	"bufio"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// Entry is one entry of a directory.
type Entry struct {
	Index      int64  // from 0, in the directory's order
	Name       []byte // as it stands there; valid until the next entry is read
	Extra      []byte // the same; for UnicodePath
	Flags      uint16 // 4.4.4
	Method     uint16 // 4.4.5
	CRC32      uint32 // of the content
	Compressed int64  // bytes in the archive
	Size       int64  // bytes of content
	Offset     int64  // of its local header, in the file
}

// Flags and methods of entries.
const (
	FlagEncrypted = 1 << 0
	FlagUTF8      = 1 << 11
	FlagMasked    = 1 << 13 // the local header is encrypted, too

	MethodStored  = 0
	MethodDeflate = 8
)

// end is where the entry's content ends at the earliest: how long the local extra field is, the directory does not say.
func (e *Entry) end() int64 { return e.Offset + LocalHeaderLen + int64(len(e.Name)) + e.Compressed }

// Walk reads the directory as a stream and hands over its entries, in its order. fn must not keep the entry's slices.
func (d *Directory) Walk(ctx context.Context, open Opener, fn func(*Entry) error) error {
	if d.Size == 0 {
		return nil
	}
	body, err := open(ctx, d.Start, d.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	w := walker{d: d, in: bufio.NewReaderSize(body, 64<<10), left: d.Size}
	for w.left >= entryLen {
		more, err := w.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := fn(&w.e); err != nil {
			return err
		}
		w.e.Index++
	}
	if w.left != 0 {
		return corrupt("the directory ends with %d bytes that are no entry", w.left)
	}
	return nil
}

type walker struct {
	d    *Directory
	in   *bufio.Reader
	left int64
	e    Entry
	past int64 // where the entry before ends, for offsets that overflowed
	buf  []byte
}

// next reads an entry into w.e; false at the directory's end.
func (w *walker) next() (bool, error) {
	le := binary.LittleEndian
	var header [entryLen]byte
	h := header[:]
	if _, err := io.ReadFull(w.in, h); err != nil {
		return false, unexpected(err)
	}
	if sig := le.Uint32(h); sig == signatureSig { // a digital signature may be the last
		w.left = 0
		return false, nil
	} else if sig != entrySig {
		return false, corrupt("entry %d of the directory is damaged", w.e.Index+1)
	}
	name, extra, comment := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
	if w.left -= entryLen + int64(name+extra+comment); w.left < 0 {
		return false, corrupt("entry %d reaches beyond the directory", w.e.Index+1)
	}
	if cap(w.buf) < name+extra {
		w.buf = make([]byte, name+extra)
	}
	w.buf = w.buf[:name+extra]
	if _, err := io.ReadFull(w.in, w.buf); err != nil {
		return false, unexpected(err)
	}
	if _, err := w.in.Discard(comment); err != nil {
		return false, unexpected(err)
	}
	w.e = Entry{
		Index: w.e.Index, Name: w.buf[:name:name], Extra: w.buf[name:], Flags: le.Uint16(h[8:]),
		Method: le.Uint16(h[10:]), CRC32: le.Uint32(h[16:]), Compressed: int64(le.Uint32(h[20:])),
		Size: int64(le.Uint32(h[24:])), Offset: int64(le.Uint32(h[42:])),
	}
	return true, w.place()
}

// place finds the entry in the file.
func (w *walker) place() error {
	e := &w.e
	if err := e.readZIP64(); err != nil {
		return err
	}
	// In the comparisons nothing is added up before it is known to be small.
	if d := w.d; e.Offset < 0 || e.Compressed < 0 || e.Size < 0 || e.Offset > d.Start || e.Compressed > d.Start {
		return corrupt("entry %d points beyond the archive's data", e.Index+1)
	}
	if w.d.wrapped {
		for e.Offset < w.past {
			e.Offset += max32 + 1
		}
	} else {
		e.Offset += w.d.base
	}
	if w.past = e.end(); w.past > w.d.Start {
		return corrupt("entry %d points beyond the archive's data", e.Index+1)
	}
	return nil
}

// unexpected: the Opener gave fewer bytes than it was asked for. That is its failure, not the archive's.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

const (
	extraZIP64       = 0x0001 // 4.5.3
	extraUnicodePath = 0x7075 // 4.6.9
)

// field finds a field in the extra data. Whatever follows a damaged field is not looked at: many writers pad with zeros.
func field(extra []byte, id uint16) ([]byte, bool) {
	for len(extra) >= 4 {
		got, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if n > len(extra)-4 {
			return nil, false
		}
		if got == id {
			return extra[4 : 4+n], true
		}
		extra = extra[4+n:]
	}
	return nil, false
}

// readZIP64 replaces the numbers that did not fit. Those that did are not in the field.
func (e *Entry) readZIP64() error {
	f, ok := field(e.Extra, extraZIP64)
	if !ok {
		return nil // a number may just be 4,294,967,295
	}
	for _, v := range []*int64{&e.Size, &e.Compressed, &e.Offset} {
		if *v != max32 {
			continue
		}
		if len(f) < 8 {
			return corrupt("entry %d says that its sizes are in a ZIP64 field, and they are not", e.Index+1)
		}
		*v = int64(binary.LittleEndian.Uint64(f))
		f = f[8:]
	}
	return nil
}

// UnicodePath is the name in UTF-8 that Info-ZIP's tools write beside one in a code page. It holds only for the name that
// it was made for, by a checksum of that: a tool that renames an entry may know nothing of it.
func (e *Entry) UnicodePath() (string, bool) {
	f, ok := field(e.Extra, extraUnicodePath)
	if !ok || len(f) < 5 || f[0] != 1 || binary.LittleEndian.Uint32(f[1:]) != crc32.ChecksumIEEE(e.Name) {
		return "", false
	}
	return string(f[5:]), true
}

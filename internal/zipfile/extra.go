package zipfile

import (
	"encoding/binary"
	"hash/crc32"
)

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

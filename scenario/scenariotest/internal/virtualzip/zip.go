package virtualzip

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// The ZIP format's records, sizes and limits (PKWARE APPNOTE 6.3).
const (
	localSignature    = 0x04034b50
	centralSignature  = 0x02014b50
	endSignature      = 0x06054b50
	end64Signature    = 0x06064b50
	locatorSignature  = 0x07064b50
	version20         = 20
	version45         = 45 // needed for ZIP64
	madeByUnix        = 3 << 8
	flagUTF8          = 0x800
	methodStore       = 0
	zip64ExtraID      = 1
	max16             = 1<<16 - 1
	max32             = 1<<32 - 1
	regularFile       = 0o100644 << 16
	end64RecordLength = 44 // without its signature and this length
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
func Zip(files []File, modified time.Time) *Archive {
	c := &Content{}
	var central []byte
	digest := sha256.New()
	for _, f := range files {
		h := header{file: f, offset: c.size, modified: modified}
		central = h.appendCentral(central)
		c.addLiteral(h.local())
		c.addContent(f.Content)
		fmt.Fprintf(digest, "%q %d %08x\n", f.Name, f.Content.Size(), f.Content.CRC32())
	}
	fmt.Fprintf(digest, "%d", modified.Unix())
	start := c.size
	c.addLiteral(central)
	c.addLiteral(end(int64(len(files)), start, int64(len(central))))
	return &Archive{Content: c, ETag: `"` + hex.EncodeToString(digest.Sum(nil)[:16]) + `"`, Files: len(files)}
}

type header struct {
	file     File
	offset   int64
	modified time.Time
}

// common is the part that both headers of a file have, from the flags to the length of the name.
func (h header) common(b []byte) []byte {
	date, clock := dosTime(h.modified)
	size := uint32(min(h.file.Content.Size(), max32))
	b = binary.LittleEndian.AppendUint16(b, flagUTF8)
	b = binary.LittleEndian.AppendUint16(b, methodStore)
	b = binary.LittleEndian.AppendUint16(b, clock)
	b = binary.LittleEndian.AppendUint16(b, date)
	b = binary.LittleEndian.AppendUint32(b, h.file.Content.CRC32())
	b = binary.LittleEndian.AppendUint32(b, size) // compressed
	b = binary.LittleEndian.AppendUint32(b, size) // uncompressed
	return binary.LittleEndian.AppendUint16(b, uint16(len(h.file.Name)))
}

func (h header) largeSize() bool { return h.file.Content.Size() >= max32 }

func (h header) local() []byte {
	var extra []byte
	if h.largeSize() {
		extra = zip64Extra(h.file.Content.Size(), h.file.Content.Size())
	}
	b := binary.LittleEndian.AppendUint32(nil, localSignature)
	b = binary.LittleEndian.AppendUint16(b, versionFor(extra))
	b = h.common(b)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	b = append(b, h.file.Name...)
	return append(b, extra...)
}

func (h header) appendCentral(b []byte) []byte {
	var large []int64
	if h.largeSize() {
		large = append(large, h.file.Content.Size(), h.file.Content.Size())
	}
	if h.offset >= max32 {
		large = append(large, h.offset)
	}
	var extra []byte
	if large != nil {
		extra = zip64Extra(large...)
	}
	b = binary.LittleEndian.AppendUint32(b, centralSignature)
	b = binary.LittleEndian.AppendUint16(b, madeByUnix|version45)
	b = binary.LittleEndian.AppendUint16(b, versionFor(extra))
	b = h.common(b)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	b = append(b, make([]byte, 6)...) // no comment, disk 0, no internal attributes
	b = binary.LittleEndian.AppendUint32(b, regularFile)
	b = binary.LittleEndian.AppendUint32(b, uint32(min(h.offset, max32)))
	b = append(b, h.file.Name...)
	return append(b, extra...)
}

func versionFor(extra []byte) uint16 {
	if extra != nil {
		return version45
	}
	return version20
}

func zip64Extra(values ...int64) []byte {
	b := binary.LittleEndian.AppendUint16(nil, zip64ExtraID)
	b = binary.LittleEndian.AppendUint16(b, uint16(8*len(values)))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// end is the archive's last records: those of ZIP64, if one of the numbers needs them, and the end record.
func end(files, start, size int64) []byte {
	var b []byte
	if files >= max16 || start >= max32 || size >= max32 {
		b = end64(files, start, size)
	}
	count := uint16(min(files, max16))
	b = binary.LittleEndian.AppendUint32(b, endSignature)
	b = append(b, make([]byte, 4)...) // this disk, the directory's disk
	b = binary.LittleEndian.AppendUint16(b, count)
	b = binary.LittleEndian.AppendUint16(b, count)
	b = binary.LittleEndian.AppendUint32(b, uint32(min(size, max32)))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(start, max32)))
	return binary.LittleEndian.AppendUint16(b, 0) // no comment
}

func end64(files, start, size int64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, end64Signature)
	b = binary.LittleEndian.AppendUint64(b, end64RecordLength)
	b = binary.LittleEndian.AppendUint16(b, madeByUnix|version45)
	b = binary.LittleEndian.AppendUint16(b, version45)
	b = append(b, make([]byte, 8)...) // this disk, the directory's disk
	b = binary.LittleEndian.AppendUint64(b, uint64(files))
	b = binary.LittleEndian.AppendUint64(b, uint64(files))
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = binary.LittleEndian.AppendUint64(b, uint64(start))
	b = binary.LittleEndian.AppendUint32(b, locatorSignature)
	b = binary.LittleEndian.AppendUint32(b, 0) // the disk with the record above
	b = binary.LittleEndian.AppendUint64(b, uint64(start+size))
	return binary.LittleEndian.AppendUint32(b, 1) // disks in all
}

// dosTime is a time in MS-DOS form, which has steps of two seconds and no zone.
func dosTime(t time.Time) (date, clock uint16) {
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	return date, clock
}

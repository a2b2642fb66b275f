package transfer

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(name))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func withComment(z []byte, comment string) []byte {
	z = bytes.Clone(z)
	binary.LittleEndian.PutUint16(z[len(z)-2:], uint16(len(comment)))
	return append(z, comment...)
}

// asZIP64 turns the end of a ZIP into ZIP64's, with the plain end record saying nothing.
func asZIP64(z []byte, shift int) []byte {
	le := binary.LittleEndian
	end := z[len(z)-zipEndLen:]
	entries, size, offset := uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	out := bytes.Clone(z[:len(z)-zipEndLen])
	at := uint64(len(out) + shift)
	r := make([]byte, zip64EndLen)
	le.PutUint32(r, zip64EndSig)
	le.PutUint64(r[4:], zip64EndLen-12)
	le.PutUint64(r[24:], entries)
	le.PutUint64(r[32:], entries)
	le.PutUint64(r[40:], size)
	le.PutUint64(r[48:], offset)
	l := make([]byte, zip64LocatorLen)
	le.PutUint32(l, zip64LocatorSig)
	le.PutUint64(l[8:], at)
	le.PutUint32(l[16:], 1)
	e := bytes.Repeat([]byte{0xff}, zipEndLen)
	copy(e, end[:4])
	copy(e[4:], []byte{0, 0, 0, 0})
	e[20], e[21] = 0, 0
	return append(append(append(out, r...), l...), e...)
}

func TestReadZIP(t *testing.T) {
	t.Parallel()
	plain := zipOf(t, "a", "b", "c")
	encrypted := bytes.Clone(plain)
	for i := range len(encrypted) - 4 { // the flag in every directory entry
		if binary.LittleEndian.Uint32(encrypted[i:]) == zipEntrySig {
			encrypted[i+8] |= 1
		}
	}
	volume := bytes.Clone(plain)
	volume[len(volume)-zipEndLen+4] = 1
	miscounted := bytes.Clone(plain)
	miscounted[len(miscounted)-zipEndLen+8], miscounted[len(miscounted)-zipEndLen+10] = 2, 2
	damaged := bytes.Clone(plain)
	damaged[bytes.Index(damaged, []byte("PK\x01\x02"))] = 'X'
	outward := bytes.Clone(plain)
	binary.LittleEndian.PutUint32(outward[bytes.Index(outward, []byte("PK\x01\x02"))+42:], 1<<30)
	large := zipOf(t, strings.Split(strings.Repeat("some rather long name of an asset.png,", 4000)+"z", ",")...)
	inner := withComment(plain, "PK\x05\x06 is not the end")

	for name, c := range map[string]struct {
		data []byte
		want int64 // -1: corrupt
	}{
		"plain": {plain, 3}, "empty": {zipOf(t), 0}, "encrypted": {encrypted, 3},
		"comment": {withComment(plain, "hello"), 3}, "longest comment": {withComment(plain, strings.Repeat("x", zipMaxComment)), 3},
		"end signature in the comment": {inner, 3}, "self-extracting": {append([]byte("#!/bin/sh\nexit\n"), plain...), 3},
		"ZIP64": {asZIP64(plain, 0), 3}, "ZIP64, self-extracting": {append([]byte("MZ......"), asZIP64(plain, 0)...), 3},
		"bytes after the end": {append(bytes.Clone(plain), "\n\n"...), 3}, "directory larger than the tail": {large, 4001},
		"cut by one byte": {plain[:len(plain)-1], -1}, "cut in the middle": {plain[:len(plain)/2], -1}, "nothing": {nil, -1},
		"page": {[]byte("<html>" + strings.Repeat("x", 1000)), -1}, "comment cut short": {withComment(plain, "hello")[:len(plain)+2], -1},
		"front missing": {plain[20:], -1}, "one of several volumes": {volume, -1}, "entries miscounted": {miscounted, -1},
		"directory damaged": {damaged, -1}, "entry points outwards": {outward, -1},
		"ZIP64 record missing": {append(asZIP64(plain, 0)[:len(plain)-zipEndLen], asZIP64(plain, 0)[len(plain)-zipEndLen+zip64EndLen:]...), -1},
	} {
		got, err := readZIP(t.Context(), bytesOpener(c.data), int64(len(c.data)))
		var e *Error
		if c.want < 0 {
			if !errors.As(err, &e) || e.Kind != KindCorrupt {
				t.Errorf("%s: %d, %v; want it corrupt", name, got, err)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, c.want)
		}
	}
}

// Reading stays small: the end, and then the directory as a stream.
func TestReadZIPHoldsNoDirectory(t *testing.T) {
	t.Parallel()
	large := zipOf(t, strings.Split(strings.Repeat("some rather long name of an asset.png,", 4000)+"z", ",")...)
	largest := 0
	open := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		body, err := bytesOpener(large)(ctx, off, n)
		return io.NopCloser(&measuringReader{body, &largest}), err
	}
	if _, err := readZIP(t.Context(), open, int64(len(large))); err != nil {
		t.Fatal(err)
	}
	if largest > zipTail {
		t.Errorf("%d bytes were asked for at once", largest)
	}
}

type measuringReader struct {
	io.Reader
	largest *int
}

func (m *measuringReader) Read(p []byte) (int, error) {
	*m.largest = max(*m.largest, len(p))
	return m.Reader.Read(p)
}

func FuzzReadZIP(f *testing.F) {
	plain := zipOf(f, "a", "b")
	for _, seed := range [][]byte{plain, zipOf(f), asZIP64(plain, 0), withComment(plain, "x"), append([]byte("MZ"), plain...), plain[:30]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := readZIP(t.Context(), bytesOpener(data), int64(len(data)))
		if err == nil && (n < 0 || n*zipEntryLen > int64(len(data))) {
			t.Errorf("%d entries in %d bytes", n, len(data))
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Kind != KindCorrupt) {
			t.Errorf("error %v of a source that does not fail", err)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes=0-1/2", "", "bytes 0-9/10\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c, err := parseContentRange(header)
		if err != nil {
			return
		}
		if c.from > c.to || c.size >= 0 && c.to >= c.size || c.from < -1 || c.from == -1 && c.size < 0 {
			t.Errorf("%q is taken for %+v", header, c)
		}
	})
}

// FuzzAdopt: whatever S3 lists, a part is taken over only with exactly the size of its place.
func FuzzAdopt(f *testing.F) {
	f.Add(int64(20<<20), int64(5), []byte{1, 8, 2, 5, 3, 5, 4, 2})
	f.Add(int64(-1), int64(16), []byte{1, 8, 2, 16, 4, 16})
	f.Add(int64(8<<20), int64(8), []byte{1, 8, 255, 8})
	f.Fuzz(func(t *testing.T, size, partMiB int64, raw []byte) {
		if partMiB < 5 || partMiB > 5120 || size > maxObjectSize || size < -1 {
			return
		}
		l := layout{size: size, first: firstRange, part: partMiB * mib}
		if size >= 0 {
			var err error
			if l, err = newLayout(size, partMiB*mib); err != nil {
				return
			}
		}
		listed := map[int]part{}
		for i := 0; i+1 < len(raw); i += 2 {
			listed[int(raw[i])] = part{done: true, etag: "e", size: int64(raw[i+1]) * mib, crc: uint64(i)}
		}
		parts := adopt(listed, l)
		if size >= 0 && len(parts) != l.count() {
			t.Fatalf("%d parts; the layout has %d", len(parts), l.count())
		}
		for i, p := range parts {
			if p.done && (p.size != l.length(i+1) || listed[i+1] != p) {
				t.Errorf("part %d of %d bytes is taken over; its place has %d", i+1, p.size, l.length(i+1))
			}
		}
		u := upload{layout: l, parts: parts}
		if n, bytes := u.done(); n == len(parts) && size >= 0 && bytes != size {
			t.Errorf("all parts are done with %d of %d bytes", bytes, size)
		}
	})
}

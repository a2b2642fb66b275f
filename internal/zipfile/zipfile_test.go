package zipfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// cases are archives with the number of their entries; -1 for what is no whole archive.
func cases(t testing.TB) map[string]struct {
	data []byte
	want int64
} {
	le := binary.LittleEndian
	plain := zipOf(t, named("a", "b", "c")...)
	empty := zipOf(t)
	zip64 := asZIP64(plain, false)
	outer := zipOf(t, append(many(1000), member{"last.usdz", zipOf(t, many(20)...)})...)
	program := "MZ" + strings.Repeat("\x90 a program ", 400) + "PK\x03\x04 is what it looks for\n"
	fakes := strings.Repeat(string(empty), 1500)
	volume := changed(plain, func(z []byte) { z[len(z)-endLen+4] = 1 })
	first := headers(plain)[0]
	return map[string]struct {
		data []byte
		want int64
	}{
		"plain": {plain, 3}, "empty": {empty, 0}, "large directory": {zipOf(t, many(4000)...), 4000},
		"encrypted": {changed(plain, func(z []byte) { z[first+8] |= 1 }), 3},
		"comment":   {withComment(plain, "hello"), 3}, "longest comment": {withComment(plain, strings.Repeat("x", maxComment)), 3},
		"end signature in the comment":        {withComment(plain, "PK\x05\x06 is not the end"), 3},
		"end records in the comment":          {withComment(plain, fakes), 3},
		"a whole ZIP in the comment":          {withComment(plain, string(zipOf(t, named("x")...))), 3},
		"bytes after the end":                 {append(bytes.Clone(plain), "\n\n\x00"...), 3},
		"self-extracting":                     {append([]byte(program), plain...), 3},
		"self-extracting, offsets adjusted":   {adjusted(program, plain), 3},
		"the last member is a stored ZIP":     {outer, 1001},
		"ZIP64":                               {zip64, 3},
		"ZIP64 beside numbers that fit":       {asZIP64(plain, true), 3},
		"ZIP64, self-extracting":              {append([]byte(program), zip64...), 3},
		"ZIP64, of no entries":                {asZIP64(empty, true), 0},
		"reversed":                            {reordered(outer, func(i, n int) int { return n - 1 - i }), 1001},
		"shuffled":                            {reordered(outer, shuffle(1001)), 1001},
		"more entries than a plain ZIP knows": {plainEnd(zipOf(t, many(1<<16+1)...)), 1<<16 + 1},

		"nothing": {nil, -1}, "page": {[]byte("<html>" + strings.Repeat("x", 1000)), -1},
		"cut by one byte": {plain[:len(plain)-1], -1}, "cut in the middle": {plain[:len(plain)/2], -1},
		"comment cut short": {withComment(plain, "hello")[:len(plain)+2], -1}, "front missing": {plain[20:], -1},
		"one of several volumes": {volume, -1},
		"two archives":           {append(bytes.Clone(plain), plain...), -1},
		"a second one cut short": {append(bytes.Clone(plain), plain[:50]...), -1},
		"entries miscounted":     {changed(plain, func(z []byte) { z[len(z)-endLen+8], z[len(z)-endLen+10] = 2, 2 }), -1},
		"directory damaged":      {changed(plain, func(z []byte) { z[first] = 'X' }), -1},
		"entry points outwards":  {changed(plain, func(z []byte) { le.PutUint32(z[first+42:], 1<<30) }), -1},
		"entry too large":        {changed(plain, func(z []byte) { le.PutUint32(z[first+20:], 1<<30) }), -1},
		"entries overlap":        {changed(plain, func(z []byte) { le.PutUint32(z[first+20:], 30) }), -1},
		"the same entry twice":   {changed(plain, func(z []byte) { copy(z[headers(z)[1]+42:], z[headers(z)[2]+42:][:4]) }), -1},
		"ZIP64 record missing":   {append(bytes.Clone(zip64[:len(plain)-endLen]), zip64[len(plain)-endLen+zip64EndLen:]...), -1},
		"ZIP64 lies":             {changed(zip64, func(z []byte) { le.PutUint64(z[len(plain)-endLen+40:], 1<<62) }), -1},
		"first entry left out":   {without(plain, 0), -1}, "middle entry left out": {without(plain, 1), -1},
		"last entry left out": {without(plain, 2), -1},
		"only end records":    {[]byte(fakes[:endLen*3-2]), 0},
	}
}

func shuffle(n int) func(i, n int) int {
	order := rand.New(rand.NewPCG(1, 2)).Perm(n)
	return func(i, _ int) int { return order[i] }
}

// adjusted is what `zip -A` makes of a self-extracting archive: offsets that count from the file's start.
func adjusted(program string, z []byte) []byte {
	le := binary.LittleEndian
	z = changed(z, func(z []byte) {
		for _, at := range headers(z) {
			le.PutUint32(z[at+42:], le.Uint32(z[at+42:])+uint32(len(program)))
		}
		end := z[len(z)-endLen:]
		le.PutUint32(end[16:], le.Uint32(end[16:])+uint32(len(program)))
	})
	return append([]byte(program), z...)
}

// plainEnd is the end that a writer makes which does not know ZIP64: the count overflows.
func plainEnd(z []byte) []byte {
	le := binary.LittleEndian
	record := z[len(z)-endLen-zip64LocatorLen-zip64EndLen:]
	end := bytes.Clone(z[len(z)-endLen:])
	le.PutUint16(end[8:], uint16(le.Uint64(record[24:])))
	le.PutUint16(end[10:], uint16(le.Uint64(record[32:])))
	le.PutUint32(end[12:], uint32(le.Uint64(record[40:])))
	le.PutUint32(end[16:], uint32(le.Uint64(record[48:])))
	return append(bytes.Clone(z[:len(z)-endLen-zip64LocatorLen-zip64EndLen]), end...)
}

// counting counts how often an archive is read.
func counting(data []byte, n *int) Opener {
	return func(ctx context.Context, off, length int64) (io.ReadCloser, error) {
		*n++
		return Bytes(data)(ctx, off, length)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range cases(t) {
		reads := 0
		d, err := Read(t.Context(), counting(c.data, &reads), int64(len(c.data)))
		var e *Error
		if c.want < 0 {
			if !errors.As(err, &e) {
				t.Errorf("%s: %d entries, %v; want it corrupt", name, d.Entries, err)
			}
		} else if err != nil || d.Entries != c.want {
			t.Errorf("%s: %d entries, %v; want %d", name, d.Entries, err, c.want)
		}
		if reads > maxRead+2*maxGaps {
			t.Errorf("%s: read %d times", name, reads)
		}
	}
}

// What Walk gives is where the content is, in whatever order.
func TestWalk(t *testing.T) {
	t.Parallel()
	members := many(300)
	plain := zipOf(t, members...)
	for name, data := range map[string][]byte{
		"plain": plain, "shuffled": reordered(plain, shuffle(300)), "self-extracting": append([]byte("#!/bin/sh\n"), plain...),
		"adjusted": adjusted("#!/bin/sh\n", plain), "ZIP64": asZIP64(plain, true),
	} {
		d, err := Read(t.Context(), Bytes(data), int64(len(data)))
		if err != nil {
			t.Fatal(name, err)
		}
		found := map[string]string{}
		err = d.Walk(t.Context(), Bytes(data), func(e *Entry) error {
			l, ok := ParseLocal(data[e.Offset:])
			if !ok || e.Method != MethodStored {
				t.Fatalf("%s: no local header at %d, or method %d", name, e.Offset, e.Method)
			}
			from := e.Offset + l.HeaderLen()
			found[string(e.Name)] = string(data[from : from+e.Size])
			return nil
		})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, m := range members {
			if found[m.name] != string(m.content) {
				t.Fatalf("%s: %s is %q", name, m.name, found[m.name])
			}
		}
	}
}

// An archive that is cut anywhere is never whole, whatever ZIPs it holds.
func TestCutArchiveIsNeverWhole(t *testing.T) {
	t.Parallel()
	inner := zipOf(t, append(many(30), member{"in.zip", zipOf(t, many(5)...)})...)
	archives := map[string][]byte{
		"last":            zipOf(t, append(many(15), member{"last.usdz", inner})...),
		"first and last":  zipOf(t, append([]member{{"first.zip", inner}}, append(many(15), member{"last.zip", inner})...)...),
		"alone":           zipOf(t, member{"x.zip", inner}),
		"with a comment":  zipOf(t, append(many(3), member{"x.zip", withComment(inner, "inner")})...),
		"ZIP64 in ZIP":    zipOf(t, append(many(3), member{"x.zip", asZIP64(inner, false)})...),
		"self-extracting": append([]byte("MZ a program"), zipOf(t, append(many(15), member{"last.usdz", inner})...)...),
	}
	for name, z := range archives {
		for _, tail := range []string{"", "\n", "\x00\x00\x00\x00"} {
			for cut := range len(z) {
				if cut%211 != 0 && !boundary(z, cut) {
					continue
				}
				data := append(bytes.Clone(z[:cut]), tail...)
				if tail == "" || boundary(z, cut) {
					d, err := Read(t.Context(), Bytes(data), int64(len(data)))
					if e := (*Error)(nil); !errors.As(err, &e) {
						t.Fatalf("%s, cut at %d of %d and followed by %q: %d entries, %v", name, cut, len(z), tail, d.Entries, err)
					}
				}
			}
		}
	}
}

// boundary: something begins within a few bytes of at.
func boundary(z []byte, at int) bool {
	return bytes.Contains(z[max(0, at-6):min(len(z), at+6)], []byte("PK"))
}

// A fake end record after another costs no read of the archive each.
func TestEndRecordsTriedAreBounded(t *testing.T) {
	t.Parallel()
	z := zipOf(t, many(4000)...)
	entries, size, _ := endOf(z)
	fake := make([]byte, endLen)
	binary.LittleEndian.PutUint32(fake, endSig)
	binary.LittleEndian.PutUint16(fake[8:], uint16(entries))
	binary.LittleEndian.PutUint16(fake[10:], uint16(entries))
	binary.LittleEndian.PutUint32(fake[12:], uint32(size)+5)
	reads := 0
	data := withComment(z, strings.Repeat(string(fake), 1500))
	_, err := Read(t.Context(), counting(data, &reads), int64(len(data)))
	if reads > maxRead+2 {
		t.Errorf("read %d times, %v", reads, err)
	}
}

// Reading stays small: the end, and then the directory as a stream.
func TestReadHoldsNoDirectory(t *testing.T) {
	t.Parallel()
	large := zipOf(t, many(20000)...)
	largest := 0
	open := func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		body, err := Bytes(large)(ctx, off, n)
		return io.NopCloser(&measuringReader{body, &largest}), err
	}
	if _, err := Read(t.Context(), open, int64(len(large))); err != nil {
		t.Fatal(err)
	}
	if largest > tailLen {
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

// An archive over 4 GiB by a writer that does not know ZIP64: offsets overflow, and are found again.
func TestOffsetsThatOverflow(t *testing.T) {
	t.Parallel()
	const each, n = 1 << 30, 6
	data := newSparse()
	var offset int64
	var offsets []int64
	var dir []byte
	le := binary.LittleEndian
	for i := range n {
		local := make([]byte, LocalHeaderLen+1)
		le.PutUint32(local, localSig)
		le.PutUint32(local[18:], each)
		le.PutUint32(local[22:], each)
		local[26], local[LocalHeaderLen] = 1, byte('a'+i)
		entry := make([]byte, entryLen+1)
		le.PutUint32(entry, entrySig)
		le.PutUint32(entry[20:], each)
		le.PutUint32(entry[24:], each)
		entry[28], entry[entryLen] = 1, byte('a'+i)
		le.PutUint32(entry[42:], uint32(offset))
		data.put(offset, local)
		dir = append(dir, entry...)
		offsets = append(offsets, offset)
		offset += each + int64(len(local))
	}
	end := make([]byte, endLen)
	le.PutUint32(end, endSig)
	end[8], end[10] = n, n
	le.PutUint32(end[12:], uint32(len(dir)))
	le.PutUint32(end[16:], uint32(offset))
	data.put(offset, append(dir, end...))
	d, err := Read(t.Context(), data.open, offset+int64(len(dir)+endLen))
	if err != nil || d.Entries != n || d.Ambiguous {
		t.Fatalf("%+v, %v", d, err)
	}
	err = d.Walk(t.Context(), data.open, func(e *Entry) error {
		if e.Offset != offsets[e.Index] {
			t.Errorf("entry %d is at %d; want %d", e.Index, e.Offset, offsets[e.Index])
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// sparse is a large file that is mostly zeros.
type sparse struct{ pieces map[int64][]byte }

func newSparse() *sparse { return &sparse{map[int64][]byte{}} }

func (s *sparse) put(off int64, b []byte) { s.pieces[off] = b }

func (s *sparse) open(_ context.Context, off, n int64) (io.ReadCloser, error) {
	b := make([]byte, n)
	for at, piece := range s.pieces {
		for i, c := range piece {
			if p := at + int64(i) - off; p >= 0 && p < n {
				b[p] = c
			}
		}
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

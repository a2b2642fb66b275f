package zipfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// member is an entry to be written.
type member struct {
	name    string
	content []byte
}

// zipOf is an archive of stored members, as a writer makes it that knows the sizes beforehand.
func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func named(names ...string) (members []member) {
	for _, n := range names {
		members = append(members, member{n, []byte(n)})
	}
	return members
}

func withComment(z []byte, comment string) []byte {
	z = bytes.Clone(z)
	binary.LittleEndian.PutUint16(z[len(z)-2:], uint16(len(comment)))
	return append(z, comment...)
}

// endOf is what the end record of an archive without a comment says.
func endOf(z []byte) (entries, size, offset uint64) {
	le, end := binary.LittleEndian, z[len(z)-endLen:]
	return uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
}

// asZIP64 puts a ZIP64 end record before the plain one, whose numbers are made to say nothing unless they are kept.
func asZIP64(z []byte, keep bool) []byte {
	le := binary.LittleEndian
	entries, size, offset := endOf(z)
	out := bytes.Clone(z[:len(z)-endLen])
	at := uint64(len(out))
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
	e := bytes.Clone(z[len(z)-endLen:])
	if !keep {
		copy(e[8:], bytes.Repeat([]byte{0xff}, 12))
	}
	return append(append(append(out, r...), l...), e...)
}

// changed is z with a change made to a copy of it.
func changed(z []byte, change func(z []byte)) []byte {
	z = bytes.Clone(z)
	change(z)
	return z
}

// headers are where the directory's entries begin.
func headers(z []byte) (at []int) {
	entries, size, _ := endOf(z)
	i := len(z) - endLen - int(size)
	for range entries {
		at = append(at, i)
		le := binary.LittleEndian
		i += entryLen + int(le.Uint16(z[i+28:])) + int(le.Uint16(z[i+30:])) + int(le.Uint16(z[i+32:]))
	}
	return at
}

// reordered is z with its directory's entries in another order.
func reordered(z []byte, order func(i, n int) int) []byte {
	at := headers(z)
	_, size, _ := endOf(z)
	start := len(z) - endLen - int(size)
	ends := append(at[1:len(at):len(at)], len(z)-endLen)
	out := bytes.Clone(z[:start])
	for i := range at {
		j := order(i, len(at))
		out = append(out, z[at[j]:ends[j]]...)
	}
	return append(out, z[len(z)-endLen:]...)
}

// without is z with one entry left out of its directory.
func without(z []byte, entry int) []byte {
	at := headers(z)
	entries, size, _ := endOf(z)
	from, to := at[entry], len(z)-endLen
	if entry+1 < len(at) {
		to = at[entry+1]
	}
	out := append(bytes.Clone(z[:from]), z[to:]...)
	end := out[len(out)-endLen:]
	binary.LittleEndian.PutUint16(end[8:], uint16(entries-1))
	binary.LittleEndian.PutUint16(end[10:], uint16(entries-1))
	binary.LittleEndian.PutUint32(end[12:], uint32(size)-uint32(to-from))
	return out
}

// many are n members of some length each.
func many(n int) (members []member) {
	for i := range n {
		members = append(members, member{fmt.Sprintf("some rather long name of an asset %06d.png", i), bytes.Repeat([]byte{byte(i)}, 50)})
	}
	return members
}

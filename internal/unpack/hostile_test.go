package unpack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// entryAt is where an entry of the directory begins, counted from 0.
func entryAt(z []byte, n int) int {
	at := -1
	for range n + 1 {
		at += 1 + bytes.Index(z[at+1:], []byte("PK\x01\x02"))
	}
	return at
}

func localAt(z []byte, n int) int {
	return int(binary.LittleEndian.Uint32(z[entryAt(z, n)+42:]))
}

// What is damaged or cannot be unpacked ends in a named error, with no wrong object and no upload left.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	random := rand.New(rand.NewPCG(1, 9))
	list := []file{{"a.bin", noise(random, 9000), false}, {"b.bin", noise(random, 9000), true}, {"c.bin", noise(random, 6<<20), true}, {"d.bin", noise(random, 6<<20), false}}
	const stored, deflated, largeDeflated, largeStored = 0, 1, 2, 3
	for name, c := range map[string]struct {
		change func(z []byte)
		kind   Kind
		says   string
	}{
		"encrypted":                       {func(z []byte) { z[entryAt(z, deflated)+8] |= 1 }, KindUnsupported, "encrypted"},
		"another method":                  {func(z []byte) { z[entryAt(z, deflated)+10] = 14 }, KindUnsupported, "LZMA"},
		"an unknown method":               {func(z []byte) { z[entryAt(z, deflated)+10] = 77 }, KindUnsupported, "77"},
		"stored, with two sizes":          {func(z []byte) { le.PutUint32(z[entryAt(z, stored)+24:], 8999) }, KindCorrupt, "sizes differ"},
		"more than declared":              {func(z []byte) { le.PutUint32(z[entryAt(z, deflated)+24:], 8999) }, KindCorrupt, "more than the 8999"},
		"less than declared":              {func(z []byte) { le.PutUint32(z[entryAt(z, deflated)+24:], 9001) }, KindCorrupt, "9000 of the 9001"},
		"a ratio of a million":            {func(z []byte) { le.PutUint32(z[entryAt(z, deflated)+24:], 1<<32-2) }, KindCorrupt, "9000 of the"},
		"another checksum":                {func(z []byte) { z[entryAt(z, stored)+16]++ }, KindCorrupt, "checksum"},
		"content damaged, stored":         {func(z []byte) { z[localAt(z, stored)+100]++ }, KindCorrupt, "checksum"},
		"content damaged, deflated":       {func(z []byte) { copy(z[localAt(z, deflated)+50:], make([]byte, 200)) }, KindCorrupt, "b.bin"},
		"local header gone":               {func(z []byte) { z[localAt(z, deflated)] = 'X' }, KindCorrupt, "no local header"},
		"local header of another method":  {func(z []byte) { z[localAt(z, deflated)+8] = 0 }, KindCorrupt, "disagrees"},
		"local header of another name":    {func(z []byte) { z[localAt(z, deflated)+30] = 'z' }, KindCorrupt, "another name"},
		"a long local extra field":        {func(z []byte) { le.PutUint16(z[localAt(z, largeDeflated)+28:], 60000) }, KindCorrupt, "reaches into"},
		"large: another checksum":         {func(z []byte) { z[entryAt(z, largeDeflated)+16]++ }, KindCorrupt, "checksum"},
		"large: more than declared":       {func(z []byte) { le.PutUint32(z[entryAt(z, largeDeflated)+24:], 6<<20-1) }, KindCorrupt, "more than"},
		"large: less than declared":       {func(z []byte) { le.PutUint32(z[entryAt(z, largeDeflated)+24:], 6<<20+1) }, KindCorrupt, "of the 6291457"},
		"large: content damaged, stored":  {func(z []byte) { z[localAt(z, largeStored)+5<<20]++ }, KindCorrupt, "checksum"},
		"large: content damaged, deflate": {func(z []byte) { copy(z[localAt(z, largeDeflated)+2<<20:], make([]byte, 1000)) }, KindCorrupt, "c.bin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			j := job(server)
			z := zipOf(t, list)
			c.change(z)
			j.ETag = putArchive(t, server, j.Key, z)
			j.DropArchive = true
			_, err := newUnpacker(t, server.Client, fastOptions()).Run(testContext(t), j)
			wantKind(t, err, c.kind)
			if !strings.Contains(err.Error(), c.says) || c.kind != KindInvalid && !strings.Contains(err.Error(), "of 4 objects") {
				t.Errorf("error %q does not say %q, or how many of how many", err, c.says)
			}
			wantOnly(t, server, j, list)
			if _, ok := server.Object(t, j.Key); !ok {
				t.Error("the archive is gone")
			}
			if _, ok := server.Object(t, j.Prefix+contentsName); ok {
				t.Error("there is a list of contents")
			}
		})
	}
}

// An archive that is no ZIP, or none that is whole.
func TestNoArchive(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	u := newUnpacker(t, server.Client, fastOptions())
	j := job(server)
	_, err := u.Run(testContext(t), j)
	wantKind(t, err, KindChanged)
	z := zipOf(t, files(1, 20, 100))
	for i, data := range [][]byte{[]byte("<html>"), nil, z[:len(z)-1], z[:len(z)/2], append(bytes.Clone(z), z...)} {
		putArchive(t, server, j.Key, data)
		j.Prefix = fmt.Sprint(i, "/")
		_, err := u.Run(testContext(t), j)
		wantKind(t, err, KindCorrupt)
		wantOnly(t, server, j, nil)
	}
}

// Names of 64 KiB, names that meet, names that escape, directories and what is left out, all in one archive.
func TestOddNames(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	long := strings.Repeat("n", 65000) + ".png"
	list := []file{{"../a.png", []byte("1"), false}, {"a.png", []byte("2"), true}, {"/a.png", []byte("3"), false},
		{"contents.jsonl", []byte("4"), false}, {long, []byte("5"), false}, {"no type", []byte("\x89PNG\r\n\x1a\n6"), false}, {"h\x82ros", nil, false}}
	with := append([]file{{"folder/", nil, false}, {"__MACOSX/._a.png", []byte("x"), false}}, list...)
	with = append(with, file{"folder/.DS_Store", []byte("x"), false})
	j := job(server)
	j.ETag = putArchive(t, server, j.Key, zipOf(t, with))
	got, err := newUnpacker(t, server.Client, fastOptions()).Run(testContext(t), j)
	if err != nil || got.Objects != int64(len(list)) {
		t.Fatalf("%+v, %v", got, err)
	}
	wantFiles(t, server, j, list, []string{"a.png", "a~2.png", "a~3.png", "contents~2.jsonl", relative(long, maxKeyBytes-len(j.Prefix)), "no type", "héros"})
	if data, _ := server.Object(t, j.Prefix+contentsName); !strings.Contains(string(data), `"contentType":"image/png"`) || !strings.Contains(string(data), `"name":"../a.png"`) {
		t.Errorf("contents.jsonl: %.300s", data)
	}
}

// Somebody else's object at a key is a conflict, unless it may be replaced.
func TestConflict(t *testing.T) {
	t.Parallel()
	list := []file{{"a.bin", []byte("a"), false}, {"large.bin", noise(rand.New(rand.NewPCG(5, 5)), 6<<20), false}, {"z.bin", []byte("z"), true}}
	for _, taken := range []string{"a.bin", "large.bin", contentsName} {
		t.Run(taken, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			j := job(server)
			j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
			server.Put(t, j.Prefix+taken, "somebody else's")
			u := newUnpacker(t, server.Client, fastOptions())
			_, err := u.Run(testContext(t), j)
			wantKind(t, err, KindConflict)
			if data, _ := server.Object(t, j.Prefix+taken); string(data) != "somebody else's" || !strings.Contains(err.Error(), j.Prefix+taken) {
				t.Errorf("the object is %q; the error %q", data, err)
			}
			noUploads(t, server, j.Prefix)
			other := j
			other.Owner += "-2"
			if taken == contentsName {
				_, err = u.Run(testContext(t), other)
				wantKind(t, err, KindConflict)
			}
			j.Overwrite = true
			if got, err := u.Run(testContext(t), j); err != nil || !got.Finished {
				t.Fatalf("%+v, %v", got, err)
			}
			wantFiles(t, server, j, list, nil)
			_, err = u.Run(testContext(t), other)
			wantKind(t, err, KindConflict)
		})
	}
}

// An object that only looks like the one that an earlier run wrote: of this owner and this archive, as long, and with other
// bytes. Its checksum tells, and it is replaced.
func TestAnObjectWithOtherBytesIsReplaced(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	u := newUnpacker(t, server.Client, fastOptions())
	j, list := job(server), files(7, 3, 3000)
	j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
	if _, err := u.Run(testContext(t), j); err != nil {
		t.Fatal(err)
	}
	key, contents := j.Prefix+list[1].name, j.Prefix+contentsName
	head, err := server.Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &j.Bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &j.Bucket, Key: &key, Metadata: head.Metadata, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		Body: bytes.NewReader(make([]byte, *head.ContentLength)),
	})
	if err == nil {
		_, err = server.Client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &j.Bucket, Key: &contents})
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := u.Run(testContext(t), j); err != nil || got.Written != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	wantFiles(t, server, j, list, nil)
}

// breaking is a client whose first large answer breaks off after 256 KiB, and that then gets no other.
type breaking struct {
	s3.HTTPClient
	broke atomic.Bool
}

func (b *breaking) Do(r *http.Request) (*http.Response, error) {
	var from, to int64
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil || to-from < 1<<20 {
		return b.HTTPClient.Do(r)
	}
	if b.broke.Swap(true) {
		return nil, errors.New("nobody answers")
	}
	resp, err := b.HTTPClient.Do(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, 256<<10), iotest.ErrReader(io.ErrUnexpectedEOF)), resp.Body}
	}
	return resp, err
}

// S3 that breaks off within an entry and stays away is not a damaged archive.
func TestS3StaysAwayWithinAnEntry(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"in one piece": 4 << 20, "in parts": 8 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			j := job(server)
			j.ETag = putArchive(t, server, j.Key, zipOf(t, []file{{"a.bin", noise(rand.New(rand.NewPCG(5, 5)), size), true}}))
			o := server.Client.Options()
			by := &breaking{HTTPClient: o.HTTPClient}
			o.HTTPClient = by
			_, err := newUnpacker(t, s3.New(o), fastOptions()).Run(testContext(t), j)
			wantKind(t, err, KindStorageUnavailable)
			if !by.broke.Load() {
				t.Error("the entry was not read in one large request")
			}
			wantOnly(t, server, j, nil)
		})
	}
}

// The same owner with another archive, as a redriven execution has it: what was there is replaced.
func TestAnotherArchiveOfTheSameOwner(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	u := newUnpacker(t, server.Client, fastOptions())
	j := job(server)
	for seed := range uint64(2) {
		list := files(seed+30, 20, 3000)
		j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
		if got, err := u.Run(testContext(t), j); err != nil || got.Written != 20 {
			t.Fatalf("%+v, %v", got, err)
		}
		wantFiles(t, server, j, list, nil)
	}
}

// The deadline: what is there is counted, and the next run goes on without writing it again.
func TestDeadline(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := files(8, 300, 1000)
	j := job(server)
	j.ETag = putArchive(t, server, j.Key, zipOf(t, list))
	opt := fastOptions()
	opt.Concurrency = 1
	var got Result
	written := int64(0)
	for runs := 0; !got.Finished; runs++ {
		var asked atomic.Int64
		opt.now = func() time.Time { // the deadline comes near after a hundred entries
			if asked.Add(1) > 100*int64(runs+1) {
				return time.Now().Add(time.Hour)
			}
			return time.Now()
		}
		var err error
		if got, err = newUnpacker(t, server.Client, opt).Run(testContext(t), j); err != nil || runs > 3 {
			t.Fatalf("run %d: %+v, %v", runs+1, got, err)
		}
		written += got.Written
	}
	if written != 300 {
		t.Errorf("%d objects were written for 300", written)
	}
	wantFiles(t, server, j, list, nil)
}

// Writers of old archives: what Go's own cannot make is read as well.
func TestDescriptorsAndZIP64(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	list := files(12, 10, 5000)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range list { // raw entries with sizes known beforehand, and no descriptor
		out, err := w.CreateRaw(&zip.FileHeader{Name: f.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(f.content),
			CompressedSize64: uint64(len(f.content)), UncompressedSize64: uint64(len(f.content)), Extra: []byte{0xfe, 0xca, 2, 0, 1, 2}})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = out.Write(f.content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	j := job(server)
	j.ETag = putArchive(t, server, j.Key, append([]byte("#!/bin/sh\n# a program before the archive\n"), b.Bytes()...))
	if got, err := newUnpacker(t, server.Client, fastOptions()).Run(testContext(t), j); err != nil || !got.Finished {
		t.Fatalf("%+v, %v", got, err)
	}
	wantFiles(t, server, j, list, nil)
}

package virtualzip

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"math"
	"testing"
	"testing/iotest"
	"time"
)

var modified = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

func mustImage(t testing.TB, seed string, size int64) *Content {
	t.Helper()
	c, err := Image(seed, size)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readAll(t testing.TB, c *Content) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNoiseChecksum(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		phase, n int64
	}{
		{"nothing", 5, 0},
		{"one byte at the block's end", noiseSize - 1, 1},
		{"up to the block's end", 10, noiseSize - 10},
		{"one byte past the end", 10, noiseSize - 9},
		{"exactly one block", 0, noiseSize},
		{"seven blocks and a bit", 123, 7*noiseSize + 77},
	} {
		c := &Content{}
		c.addNoise(test.phase, test.n)
		got := readAll(t, c)
		if int64(len(got)) != test.n || c.CRC32() != crc32.ChecksumIEEE(got) {
			t.Errorf("%s: %d bytes, checksum %08x, want %d, %08x", test.name, len(got), c.CRC32(), test.n,
				crc32.ChecksumIEEE(got))
		}
	}
}

func TestImageIsAPNGOfTheSizeAskedFor(t *testing.T) {
	t.Parallel()
	natural := mustImage(t, "a", 0).Size()
	for _, test := range []struct {
		name       string
		size, want int64
	}{
		{"natural", 0, natural},
		{"smaller than the picture", natural - 1, natural},
		{"exactly the picture", natural, natural},
		{"too little for a chunk", natural + chunkOverhead - 1, natural},
		{"an empty chunk", natural + chunkOverhead, natural + chunkOverhead},
		{"one byte of padding", natural + chunkOverhead + 1, natural + chunkOverhead + 1},
		{"more than a block of noise", 3_000_000, 3_000_000},
	} {
		c := mustImage(t, "a", test.size)
		b := readAll(t, c)
		if int64(len(b)) != test.want || c.CRC32() != crc32.ChecksumIEEE(b) {
			t.Errorf("%s: %d bytes, want %d", test.name, len(b), test.want)
		}
		decoded, err := png.Decode(bytes.NewReader(b)) // checks every chunk's checksum
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := decoded.Bounds().Max; got.X != Side || got.Y != Side {
			t.Errorf("%s: %v pixels", test.name, got)
		}
	}
}

func TestImageDependsOnTheSeedAlone(t *testing.T) {
	t.Parallel()
	first, again := readAll(t, mustImage(t, "a", 50_000)), readAll(t, mustImage(t, "a", 50_000))
	other := readAll(t, mustImage(t, "b", 50_000))
	if !bytes.Equal(first, again) {
		t.Error("the same seed gave two images")
	}
	if bytes.Equal(first[len(first)-1000:], other[len(other)-1000:]) {
		t.Error("two seeds gave the same padding")
	}
	if bytes.Equal(first[:200], other[:200]) {
		t.Error("two seeds gave the same picture")
	}
}

func TestChunkLengthLeavesNothingOrAChunk(t *testing.T) {
	t.Parallel()
	const limit = 100
	for padding := int64(chunkOverhead); padding < 5*(limit+chunkOverhead); padding++ {
		rest := padding
		for rest > 0 {
			length := chunkLength(rest, limit)
			if length < 0 || length > limit {
				t.Fatalf("padding %d: a chunk of %d", padding, length)
			}
			rest -= length + chunkOverhead
		}
		if rest != 0 {
			t.Fatalf("padding %d: %d left", padding, rest)
		}
	}
}

func mustZip(t testing.TB, files []File, modified time.Time) *Archive {
	t.Helper()
	a, err := Zip(files, modified)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func testArchive(t testing.TB, count int, size int64) *Archive {
	t.Helper()
	files := make([]File, count)
	for i := range files {
		files[i].Name = fmt.Sprintf("flow é/asset_%04d.png", i)
		files[i].Content = mustImage(t, files[i].Name, size)
	}
	return mustZip(t, files, modified)
}

func TestZipIsReadByArchiveZip(t *testing.T) {
	t.Parallel()
	a := testArchive(t, 7, 1_200_000)
	r, err := zip.NewReader(a, a.Size())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 7 || a.Files != 7 {
		t.Fatalf("%d files, says %d", len(r.File), a.Files)
	}
	for i, f := range r.File {
		if want := fmt.Sprintf("flow é/asset_%04d.png", i); f.Name != want || f.NonUTF8 || f.Mode() != 0o644 {
			t.Errorf("file %d is %q (%v), want %q", i, f.Name, f.Mode(), want)
		}
		if !f.Modified.Equal(modified) {
			t.Errorf("modified %v, want %v", f.Modified, modified)
		}
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(body); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil { // to the end, where the checksum is compared
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

func TestZipWithoutFiles(t *testing.T) {
	t.Parallel()
	a := mustZip(t, nil, modified)
	if r, err := zip.NewReader(a, a.Size()); err != nil || len(r.File) != 0 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestZip64ManyFiles(t *testing.T) {
	t.Parallel()
	content := mustImage(t, "one for all", 0)
	for _, count := range []int{math.MaxUint16 - 1, math.MaxUint16} {
		files := make([]File, count)
		for i := range files {
			files[i] = File{Name: fmt.Sprint(i), Content: content}
		}
		a := mustZip(t, files, modified)
		r, err := zip.NewReader(a, a.Size())
		if err != nil {
			t.Fatalf("%d files: %v", count, err)
		}
		if len(r.File) != count || r.File[count-1].Name != fmt.Sprint(count-1) {
			t.Errorf("%d files, want %d", len(r.File), count)
		}
	}
}

func TestZip64LargeFilesAndOffsets(t *testing.T) {
	t.Parallel()
	large := mustImage(t, "large", 5<<30)
	small := mustImage(t, "small", 0)
	a := mustZip(t, []File{{"large.png", large}, {"small.png", small}}, modified)
	r, err := zip.NewReader(a, a.Size())
	if err != nil {
		t.Fatal(err)
	}
	if got := r.File[0].UncompressedSize64; got != 5<<30 {
		t.Errorf("the large file has %d bytes", got)
	}
	body, err := r.File[1].Open() // beyond 4 GiB: found by its ZIP64 offset
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, readAll(t, small)) {
		t.Errorf("the small file differs (%v)", err)
	}
}

func TestETagIsOfTheBytes(t *testing.T) {
	t.Parallel()
	first, again, other := testArchive(t, 2, 0), testArchive(t, 2, 0), testArchive(t, 2, 9_000)
	if first.ETag != again.ETag || first.ETag == other.ETag {
		t.Errorf("%s, %s, %s", first.ETag, again.ETag, other.ETag)
	}
	one := []File{{"one.png", mustImage(t, "one", 0)}}
	if mustZip(t, one, modified).ETag == mustZip(t, one, modified.Add(time.Hour)).ETag {
		t.Error("another time of the files, the same tag")
	}
}

func TestContentReader(t *testing.T) {
	t.Parallel()
	c := testArchive(t, 3, 5_000).Content
	whole := readAll(t, c)
	if err := iotest.TestReader(io.NewSectionReader(c, 0, c.Size()), whole); err != nil {
		t.Error(err)
	}
	if c.CRC32() != crc32.ChecksumIEEE(whole) {
		t.Error("checksum of the whole")
	}
	if _, err := c.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("negative offset: no error")
	}
	if n, err := c.ReadAt(make([]byte, 1), c.Size()); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

func TestWriteRange(t *testing.T) {
	t.Parallel()
	c := mustImage(t, "x", 2*noiseSize+500)
	whole := readAll(t, c)
	for _, r := range [][2]int64{{0, c.Size()}, {0, 1}, {noiseSize - 3, noiseSize + 9}, {c.Size() - 5, 5}} {
		var out bytes.Buffer
		n, err := c.WriteRange(&out, r[0], r[1])
		if err != nil || n != r[1] || !bytes.Equal(out.Bytes(), whole[r[0]:r[0]+r[1]]) {
			t.Errorf("range %v: %d bytes, %v", r, n, err)
		}
	}
	if n, err := c.WriteRange(io.Discard, c.Size()-2, 10); n != 2 || err != nil {
		t.Errorf("past the end: %d, %v", n, err)
	}
	broken := fmt.Errorf("broken")
	if n, err := c.WriteRange(failingWriter{broken}, 0, 10); n != 0 || err != broken {
		t.Errorf("failing writer: %d, %v", n, err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

func BenchmarkWriteRange(b *testing.B) {
	c := mustImage(b, "x", 20<<30)
	const n = 256 << 20
	b.SetBytes(n)
	for b.Loop() {
		if _, err := c.WriteRange(io.Discard, 7<<30, n); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLayout1000Files20GiB(b *testing.B) {
	for b.Loop() {
		testArchive(b, 1000, 20<<20)
	}
}

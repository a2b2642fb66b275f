package transfer

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"

	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// nestedZIP is an archive with ZIPs among its entries, as assets such as .usdz are: stored ones, in depth, with comments,
// in the middle and last of all.
func nestedZIP(t testing.TB, random *rand.Rand, depth int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range 2 + random.IntN(6) {
		content := make([]byte, random.IntN(3000))
		for j := range content {
			content[j] = byte(random.Uint32())
		}
		header := &zip.FileHeader{Name: fmt.Sprintf("asset_%d.png", i), Method: zip.Store}
		if depth > 0 && random.IntN(2) == 0 {
			content, header.Name = nestedZIP(t, random, depth-1), fmt.Sprintf("asset_%d.usdz", i)
		} else if random.IntN(3) == 0 {
			header.Method = zip.Deflate
		}
		f, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(content)
	}
	if depth > 0 { // the worst is last
		f, err := w.CreateHeader(&zip.FileHeader{Name: "last.usdz", Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(nestedZIP(t, random, depth-1))
	}
	if random.IntN(3) == 0 {
		_ = w.SetComment("PK\x05\x06 is not the end, and neither is " + string(out.Bytes()[:min(out.Len(), 100)]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// boundaries are the offsets at which something of a ZIP begins or ends, in the archive and in those inside it.
func boundaries(archive []byte) (at []int) {
	for _, signature := range []uint32{0x04034b50, 0x08074b50, 0x02014b50, 0x06054b50} {
		var sig [4]byte
		binary.LittleEndian.PutUint32(sig[:], signature)
		for i := 0; ; {
			j := bytes.Index(archive[i:], sig[:])
			if j < 0 {
				break
			}
			i += j
			at = append(at, i, i+4, i+22, i+30)
			i++
		}
	}
	return at
}

// An archive that its host cuts short is no success, though what is left may end as a ZIP does: by a host that declares the
// cut length, with ranges or without, and by one that declares nothing.
func TestCutArchivesAreNeverWhole(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	tr := newTransferer(t, server.Client, fastOptions())
	const seeds = 6
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 15))
		whole := nestedZIP(t, random, 2)
		cuts := boundaries(whole)
		for range 20 {
			cuts = append(cuts, random.IntN(len(whole)))
		}
		random.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		cuts = append(cuts[:min(len(cuts), 60)], len(whole)-1)
		src := newSource(t, whole)
		for i, cut := range cuts {
			if cut >= len(whole) {
				continue
			}
			content := whole[:cut]
			src.set(func() {
				src.content, src.etag, src.hook = content, etagOf(content), nil
				if i%3 > 0 {
					src.hook = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
						serveInOrder(w, content, i%3 == 1)
						return true
					}
				}
			})
			o := object(server, fmt.Sprintf("%d/%d", seed, cut))
			if got, err := tr.Run(testContext(t), src.url(), o); err == nil {
				t.Errorf("seed %d: %d of %d bytes are a success: %+v", seed, cut, len(whole), got)
			} else {
				wantKind(t, err, KindCorrupt)
			}
			noObject(t, server, o.Key)
		}
		src.set(func() { src.content, src.etag, src.hook = whole, etagOf(whole), nil })
		key := fmt.Sprint("whole/", seed)
		got, err := tr.Run(testContext(t), src.url(), object(server, key))
		if err != nil {
			t.Fatalf("seed %d: the whole archive: %v", seed, err)
		}
		wantObject(t, server, key, whole, got)
	}
}

// A large archive is cut where the parts move in ranges or in order: the directory of the ZIP that is its last entry, and
// what lies before the archive's own directory, are not the archive's end.
func TestCutArchivesInParts(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, content := range [][]byte{make([]byte, firstRange), makeZIP(t, 9, 1<<20, 20)} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("asset_%d.usdz", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := out.Bytes()
	directory := bytes.LastIndex(whole, []byte("PK\x05\x06")) - 2*(46+len("asset_0.usdz"))
	for i, cut := range []int{directory, directory - 16, directory - 5, directory + 46, len(whole) - 22, int(firstRange) + 1} {
		for mode, hook := range map[string]hook{
			"ranges": nil,
			"order": func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				serveInOrder(w, whole[:cut], true)
				return true
			},
			"close": func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				untilClose(w, whole[:cut])
				return true
			},
		} {
			src := newSource(t, whole[:cut])
			src.set(func() { src.hook = hook })
			key := fmt.Sprint(mode, i)
			_, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), object(server, key))
			wantKind(t, err, KindCorrupt)
			noObject(t, server, key)
		}
	}
	noUploads(t, server)
}

// How often a source without ranges is read does not depend on how many ends of a ZIP are found in an archive.
func TestManyEndsAreFewReads(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "asset.png", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write(make([]byte, 20<<20))
	end := []byte("PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x2e\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	_ = w.SetComment(string(bytes.Repeat(end, 1500)))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	content := out.Bytes()
	src := newSource(t, content)
	src.set(func() {
		src.hook = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			serveInOrder(w, content, true)
			return true
		}
	})
	got, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), object(server, "k"))
	if n := src.count.Load(); n > 3 {
		t.Errorf("the archive was asked for %d times", n)
	}
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", content, got)
}

package transfer

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// An archive that its host cuts short is no success, though what is left may end as a ZIP does: the directory of the ZIP
// that is its last entry, and what lies before the archive's own directory, are not the archive's end. Its host may declare
// the cut length, with ranges or without, or nothing.
func TestCutArchives(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	tr := newTransferer(t, server.Client, fastOptions())
	for _, first := range []int{3000, int(firstRange)} {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for i, content := range [][]byte{make([]byte, first), makeZIP(t, 9, 1<<20, 20)} {
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
		for i, cut := range []int{directory, directory - 16, directory - 5, directory + 46, len(whole) - 22, len(whole) - 1, first + 1} {
			for mode, f := range map[string]func(w http.ResponseWriter){
				"ranges":  nil,
				"order":   func(w http.ResponseWriter) { serveInOrder(w, whole[:cut], true) },
				"chunked": func(w http.ResponseWriter) { serveInOrder(w, whole[:cut], false) },
				"close":   func(w http.ResponseWriter) { untilClose(w, whole[:cut]) },
			} {
				src := newSource(t, whole[:cut])
				if f != nil {
					src.set(func() { src.hook = every(always, func(w http.ResponseWriter, _ *http.Request) { f(w) }) })
				}
				key := fmt.Sprint(mode, first, i)
				_, err := tr.Run(testContext(t), src.url(), object(server, key))
				wantKind(t, err, KindCorrupt)
				noObject(t, server, key)
			}
		}
		src := newSource(t, whole)
		key := fmt.Sprint("whole", first)
		got, err := tr.Run(testContext(t), src.url(), object(server, key))
		if err != nil {
			t.Fatal(err)
		}
		wantObject(t, server, key, whole, got)
	}
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

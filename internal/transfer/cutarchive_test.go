package transfer

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// The end record of a ZIP in the ZIP is not the archive's: an archive that its host cuts short is no success, though what
// is left ends as a ZIP does.
func TestArchiveCutInsideItsDirectory(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range 1001 {
		content := []byte("an asset")
		if i == 1000 {
			content = makeZIP(t, 9, 1<<10, 1)
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("asset_%06d.usdz", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := out.Bytes()
	directory := bytes.LastIndex(whole, []byte("PK\x05\x06")) - 1001*(46+len("asset_000000.usdz"))
	for i, cut := range []int{directory, directory + 10, directory + 5000} {
		src := newSource(t, whole[:cut])
		key := fmt.Sprint("k", i)
		_, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), object(server, key))
		wantKind(t, err, KindCorrupt)
		noObject(t, server, key)
		noUploads(t, server)
	}
}

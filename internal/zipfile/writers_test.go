package zipfile

import (
	"os"
	"path/filepath"
	"testing"
)

// Archives of real writers, named after them: see how many entries each has.
func TestRealWriters(t *testing.T) {
	t.Parallel()
	want := map[string]int64{
		"info-zip-pipe.zip": 3, "info-zip-zip64-pipe.zip": 1, "info-zip-stored.zip": 2, "info-zip-comment.zip": 1,
		"info-zip-sfx.zip": 2, "jar.zip": 5, "python-zip64-pipe.zip": 3, "python-append.zip": 2,
	}
	files, err := filepath.Glob("testdata/*.zip")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, %v; want %d", len(files), err, len(want))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		d, err := Read(t.Context(), Bytes(data), int64(len(data)))
		if err != nil || d.Entries != want[name] {
			t.Errorf("%s: %d entries, %v; want %d", name, d.Entries, err, want[name])
		}
		for cut := range len(data) - 1 {
			if d, err := Read(t.Context(), Bytes(data[:cut]), int64(cut)); err == nil {
				t.Errorf("%s cut to %d of %d bytes is whole, with %d entries", name, cut, len(data), d.Entries)
			}
		}
	}
}

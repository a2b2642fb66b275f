package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/versity/versitygw/backend"
)

// The sizes of 10,000 parts are more than ext4 keeps with a file; the upload's ID is kept in any case.
func TestManyParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "object"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := backend.MpUploadMetadata{UploadID: "upload-7"}
	for i := range int64(10_000) {
		m.Parts = append(m.Parts, (i+1)*5<<20)
	}
	value, err := backend.MarshalMpUploadMetadata(m, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := (attributes{}).StoreAttribute(f, "bucket", "object", partsAttribute, value); err != nil {
		t.Fatal(err)
	}
	kept, err := attributes{}.RetrieveAttribute(f, "bucket", "object", partsAttribute)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := backend.UnmarshalMpUploadMetadata(kept, false); err != nil || got.UploadID != m.UploadID {
		t.Errorf("got %s, %v", kept, err)
	}
}

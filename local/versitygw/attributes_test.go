package main

import (
	"errors"
	"os"
	"testing"

	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/s3err"
)

// block keeps attributes as ext4 does: none that is larger than a block.
type block struct {
	meta.MetadataStorer
	kept map[string][]byte
}

func (b block) StoreAttribute(_ *os.File, _, _, attribute string, value []byte) error {
	if len(value) > 4096 {
		return s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)
	}
	b.kept[attribute] = value
	return nil
}

func multipart(t *testing.T, parts int64) []byte {
	t.Helper()
	m := backend.MpUploadMetadata{UploadID: "upload-7"}
	for i := range parts {
		m.Parts = append(m.Parts, (i+1)*5<<20+i*i%1009) // compressed, they are long all the same
	}
	value, err := backend.MarshalMpUploadMetadata(m, false)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// The sizes of 10,000 parts are more than a block. They are left out, and the upload's ID is kept; few are kept as they are.
func TestManyParts(t *testing.T) {
	t.Parallel()
	for parts, want := range map[int64]int{10_000: 0, 10: 10} {
		value := multipart(t, parts)
		if (len(value) > 4096) != (want == 0) {
			t.Fatalf("%d parts take %d bytes", parts, len(value))
		}
		b := block{kept: map[string][]byte{}}
		if err := (attributes{b}).StoreAttribute(nil, "bucket", "object", partsAttribute, value); err != nil {
			t.Fatal(err)
		}
		got, err := backend.UnmarshalMpUploadMetadata(b.kept[partsAttribute], false)
		if err != nil || got.UploadID != "upload-7" || len(got.Parts) != want {
			t.Errorf("%d parts: kept %q with %d parts, %v", parts, got.UploadID, len(got.Parts), err)
		}
	}
}

// A disk that is full, and an attribute of another kind that does not fit, stay errors.
func TestAttributesThatDoNotFit(t *testing.T) {
	t.Parallel()
	full := s3err.GetAPIError(s3err.ErrNoSpaceLeftOnDevice)
	b := block{kept: map[string][]byte{}}
	if err := (attributes{b}).StoreAttribute(nil, "bucket", "object", "etag", make([]byte, 5000)); !errors.Is(err, full) {
		t.Errorf("another attribute: got %v", err)
	}
	if err := (attributes{b}).StoreAttribute(nil, "bucket", "object", partsAttribute, make([]byte, 5000)); !errors.Is(err, full) {
		t.Errorf("what is no list of parts: got %v", err)
	}
}

package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestZIPsAreAsTheRowsSay(t *testing.T) {
	t.Parallel()
	for i, row := range append(unpackRows(1000), unpackMemoryRows(1000)...) {
		path := filepath.Join(t.TempDir(), "x.zip")
		if err := makeZIP(path, row, i >= len(unpackRows(1000))); err != nil {
			t.Fatal(err)
		}
		r, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if len(r.File) != row.entries {
			t.Errorf("%s: %d entries, want %d", row.title, len(r.File), row.entries)
		}
		for _, f := range r.File {
			content, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, content) // checks the CRC
			ratio := float64(f.CompressedSize64) / float64(f.UncompressedSize64)
			if err != nil || n != row.size || row.deflated != (f.Method == zip.Deflate) || row.deflated != (ratio < 0.6) {
				t.Errorf("%s: %s has %d bytes, method %d, ratio %.2f, %v", row.title, f.Name, n, f.Method, ratio, err)
			}
		}
	}
}

func TestWhatIsUnpackedIsCounted(t *testing.T) {
	t.Parallel()
	s := &setup{dir: t.TempDir()}
	at, stop, err := s.storageAt(t.Context(), "s3", false)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	row := unpackRow{entries: 2, size: 3}
	if err := s.putZIP(t.Context(), row, at); err != nil {
		t.Fatal(err)
	}
	if etag, err := at.etag(t.Context()); err != nil || etag == "" {
		t.Errorf("the archive's ETag is %q, %v", etag, err)
	}
	client, err := at.client()
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &at.Bucket, Key: aws.String(unpackedPrefix + name),
			Body: strings.NewReader(text)}); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "123")
	put("contents.jsonl", "{}")
	if err := at.wantUnpacked(t.Context(), row); err == nil || !strings.Contains(err.Error(), "1 objects of 2") {
		t.Errorf("one is missing: %v", err)
	}
	put("b", "1")
	if err := at.wantUnpacked(t.Context(), row); err == nil || !strings.Contains(err.Error(), "1 of another size") {
		t.Errorf("one is cut off: %v", err)
	}
	put("b", "123")
	if err := at.wantUnpacked(t.Context(), row); err != nil {
		t.Error(err)
	}
	if err := at.removeUnpacked(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(s.dir, "s3", "bench", unpackedPrefix)); len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

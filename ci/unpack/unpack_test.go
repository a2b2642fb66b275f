// Package unpack_test compares what is unpacked with what the usual tools extract from the same archives; unpack.sh makes
// them.
package unpack_test

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/unpack"
)

func TestSameAsOtherTools(t *testing.T) {
	dir := os.Getenv("ARCHIVES")
	if dir == "" {
		t.Skip("ARCHIVES names no folder; ci/unpack.sh makes one")
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(archives) < 12 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, archive := range archives {
		t.Run(filepath.Base(archive), func(t *testing.T) {
			got := unpacked(t, archive)
			// Python reads names without the flag for UTF-8 in code page 437; its contents must be the same.
			if want := tree(t, archive+".python"); !slices.Equal(contents(got), contents(want)) {
				t.Errorf("%d objects; Python extracts %d files, or others", len(got), len(want))
			}
			want := tree(t, archive+".unzip")
			for name, content := range want {
				if object, there := got[name]; !there || !bytes.Equal(object, content) {
					t.Errorf("%s is there: %v, with %d bytes; unzip extracts %d", name, there, len(object), len(content))
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d objects; unzip extracts %d files", len(got), len(want))
			}
		})
	}
}

// unpacked are the objects that an archive becomes, by their names behind the prefix.
func unpacked(t *testing.T, archive string) map[string][]byte {
	server := s3test.Start(t)
	u := unpack.New(server.Client, unpack.Options{})
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	j := unpack.Job{Bucket: server.Bucket, Key: "a.zip", Prefix: "a/", Owner: "ci", Exclusive: true}
	if _, err := server.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &j.Bucket, Key: &j.Key, Body: file}); err != nil {
		t.Fatal(err)
	}
	result, err := u.Run(t.Context(), j)
	if err != nil || !result.Finished {
		t.Fatalf("%+v, %v", result, err)
	}
	got := map[string][]byte{}
	pages := s3.NewListObjectsV2Paginator(server.Client, &s3.ListObjectsV2Input{Bucket: &j.Bucket, Prefix: &j.Prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			got[strings.TrimPrefix(*o.Key, j.Prefix)], _ = server.Object(t, *o.Key)
		}
	}
	delete(got, "contents.jsonl")
	if int64(len(got)) != result.Objects {
		t.Errorf("%d objects are there; the result says %d", len(got), result.Objects)
	}
	return got
}

// tree are the files below a folder.
func tree(t *testing.T, folder string) map[string][]byte {
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files[name], err = os.ReadFile(filepath.Join(folder, name))
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	return files
}

// contents are the digests of files without their names, in order.
func contents(files map[string][]byte) []string {
	var all []string
	for _, content := range files {
		sum := sha256.Sum256(content)
		all = append(all, string(sum[:]))
	}
	slices.Sort(all)
	return all
}

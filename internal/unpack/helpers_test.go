package unpack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

const testOwner = "arn:aws:states:us-east-1:000000000000:execution:archive:test"

// file is an entry of a test's archive.
type file struct {
	name    string
	content []byte
	deflate bool
}

// files are n of them, of up to size bytes, every second one deflated.
func files(seed uint64, n, size int) (list []file) {
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		list = append(list, file{fmt.Sprintf("folder/asset_%d.png", i), noise(random, random.IntN(size+1)), i%2 == 0})
	}
	return list
}

// noise is twice compressible.
func noise(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32()) & 0x0f
	}
	return b
}

func zipOf(t testing.TB, list []file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range list {
		h := &zip.FileHeader{Name: f.name, Method: zip.Store}
		if f.deflate {
			h.Method = zip.Deflate
		}
		out, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func putArchive(t testing.TB, s *s3test.Server, key string, data []byte) (etag string) {
	t.Helper()
	out, err := s.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(data),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, // as the transfer stores it
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ETag
}

func fastOptions() Options {
	return Options{
		Concurrency: 8, StallTimeout: time.Second, CallTimeout: 5 * time.Second, OrphanAge: time.Nanosecond,
		backoff: 5 * time.Millisecond, copyPart: slabSize,
	}
}

func newUnpacker(t testing.TB, client *s3.Client, opt Options) *Unpacker {
	t.Helper()
	o := client.Options()
	o.ExpressCredentials = nil
	return New(s3.New(o, transfer.TuneStorage(opt.Concurrency)), opt)
}

func job(s *s3test.Server) Job {
	return Job{
		Bucket: s.Bucket, Key: "a.zip", Prefix: "a/", Owner: testOwner, Exclusive: true,
		Metadata: map[string]string{"scenario-job-id": "job_1"},
	}
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// wantFiles checks that exactly these objects are below the prefix, with their checksums, that contents.jsonl lists them in
// order, and that no upload is left. keys are where each file is to be; nil takes the names.
func wantFiles(t testing.TB, s *s3test.Server, j Job, list []file, keys []string) {
	t.Helper()
	there := map[string]bool{}
	for _, key := range keysBelow(t, s, j.Prefix) {
		there[key] = true
	}
	data, ok := s.Object(t, j.Prefix+contentsName)
	if !ok {
		t.Fatal("there is no contents.jsonl")
	}
	delete(there, j.Prefix+contentsName)
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for i, f := range list {
		var l line
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &l) != nil {
			t.Fatalf("contents.jsonl ends or is broken at line %d", i+1)
		}
		key := j.Prefix + f.name
		if keys != nil {
			key = j.Prefix + keys[i]
		}
		sum := fmt.Sprintf("%08x", crc32.ChecksumIEEE(f.content))
		if l.Key != key || l.Size != int64(len(f.content)) || l.CRC32 != sum {
			t.Fatalf("line %d is %+v; want %s, %d bytes, %s", i+1, l, key, len(f.content), sum)
		}
		wantObject(t, s, key, f.content, l.ContentType, sum)
		delete(there, key)
	}
	if lines.Scan() {
		t.Errorf("contents.jsonl has more lines: %s", lines.Text())
	}
	if len(there) > 0 {
		t.Errorf("objects that belong to no entry: %v", there)
	}
	noUploads(t, s, j.Prefix)
}

func keysBelow(t testing.TB, s *s3test.Server, prefix string) (keys []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(s.Client, &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}

func wantObject(t testing.TB, s *s3test.Server, key string, content []byte, contentType, sum string) {
	t.Helper()
	got, ok := s.Object(t, key)
	if !ok {
		t.Fatalf("there is no object %s", key)
	}
	if !bytes.Equal(got, content) {
		t.Fatalf("%s (%d bytes) is not what the archive holds (%d bytes)", key, len(got), len(content))
	}
	head, err := s.Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &s.Bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(head.ContentType) != contentType || head.Metadata["crc32"] != sum || head.Metadata["scenario-job-id"] != "job_1" ||
		head.ChecksumType != types.ChecksumTypeFullObject || head.ChecksumCRC32 == nil {
		t.Fatalf("%s has type %s, metadata %v, checksum type %s", key, *head.ContentType, head.Metadata, head.ChecksumType)
	}
}

func noUploads(t testing.TB, s *s3test.Server, prefix string) {
	t.Helper()
	for key := range s.Uploads(t) {
		if strings.HasPrefix(key, prefix) {
			t.Errorf("an upload is left: %s", key)
		}
	}
}

func wantKind(t testing.TB, err error, kind Kind) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error %v; want one of kind %q", err, kind)
	}
}

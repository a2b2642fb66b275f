package transfer

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

const testOwner = "arn:aws:states:us-east-1:000000000000:execution:archive:test"

// makeZIP is a ZIP archive of exactly size bytes in the given number of entries, the same for the same seed.
func makeZIP(t testing.TB, seed uint64, size, entries int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	each := (size - entries*200) / entries
	for i := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("asset_%06d.png", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, max(each, 0))
		_, _ = random.Read(data)
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fakeSource serves an archive honestly, unless hook answers instead.
type fakeSource struct {
	*httptest.Server
	mu      sync.Mutex
	content []byte
	etag    string
	hook    func(w http.ResponseWriter, r *http.Request, n int) (handled bool)
	count   atomic.Int64
	served  atomic.Int64 // bytes of bodies
}

func newSource(t testing.TB, content []byte) *fakeSource {
	s := &fakeSource{content: content, etag: etagOf(content)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	return s
}

func etagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func (s *fakeSource) url() string { return s.URL + "/archive.zip?Signature=SECRET" }

func (s *fakeSource) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *fakeSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.count.Add(1))
	s.mu.Lock()
	content, etag, hook := s.content, s.etag, s.hook
	s.mu.Unlock()
	w = &countingWriter{w, &s.served}
	if hook != nil && hook(w, r, n) {
		return
	}
	serve(w, r, content, etag)
}

func serve(w http.ResponseWriter, r *http.Request, content []byte, etag string) {
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// serveInOrder ignores ranges.
func serveInOrder(w http.ResponseWriter, content []byte, withLength bool) {
	if withLength {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	}
	w.WriteHeader(http.StatusOK)
	for len(content) > 0 {
		n := min(len(content), 64<<10)
		if _, err := w.Write(content[:n]); err != nil {
			return
		}
		content = content[n:]
		if !withLength {
			w.(*countingWriter).ResponseWriter.(http.Flusher).Flush()
		}
	}
}

type countingWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// cut breaks the connection of an answer.
func cut() { panic(http.ErrAbortHandler) }

func fastOptions() Options {
	return Options{
		AllowLoopback: true, PartSize: minPartSize, Concurrency: 4, StallTimeout: 30 * time.Second,
		StorageTimeout: 5 * time.Second, OrphanAge: time.Nanosecond, backoff: time.Millisecond,
	}
}

// tunedClient reaches the same server as the functions do.
func tunedClient(c *s3.Client, concurrency int) *s3.Client {
	o := c.Options()
	o.ExpressCredentials = nil // two clients must not share the SDK's own
	return s3.New(o, TuneStorage(concurrency))
}

func newTransferer(t testing.TB, client S3, opt Options) *Transferer {
	t.Helper()
	if c, ok := client.(*s3.Client); ok {
		client = tunedClient(c, opt.Concurrency)
	}
	tr := New(client, opt)
	t.Cleanup(tr.Close)
	return tr
}

func object(s *s3test.Server, key string) Object {
	return Object{Bucket: s.Bucket, Key: key, Owner: testOwner}
}

// wantObject checks that the object is exactly content and that no upload is left.
func wantObject(t testing.TB, s *s3test.Server, key string, content []byte, got Result) {
	t.Helper()
	data, ok := s.Object(t, key)
	if !ok {
		t.Fatalf("there is no object %s", key)
	}
	if !bytes.Equal(data, content) {
		t.Fatalf("the object (%d bytes) is not the archive (%d bytes)", len(data), len(content))
	}
	if !got.Finished || got.Size != int64(len(content)) || got.BytesDone != got.Size {
		t.Errorf("result %+v; want finished with %d bytes", got, len(content))
	}
	if want := checksum.Text(crc64nvme.Update(0, content)); got.ChecksumCRC64NVME != want {
		t.Errorf("checksum %s; want %s", got.ChecksumCRC64NVME, want)
	}
	if got.ETag == "" {
		t.Error("no ETag")
	}
	noUploads(t, s)
}

func noUploads(t testing.TB, s *s3test.Server) {
	t.Helper()
	if left := s.Uploads(t); len(left) > 0 {
		t.Errorf("uploads left: %v", left)
	}
}

func noUploadsAt(t testing.TB, s *s3test.Server, key string) {
	t.Helper()
	if left := s.Uploads(t)[key]; len(left) > 0 {
		t.Errorf("uploads left: %v", left)
	}
}

func noObject(t testing.TB, s *s3test.Server, key string) {
	t.Helper()
	if data, ok := s.Object(t, key); ok {
		t.Errorf("there is an object of %d bytes", len(data))
	}
}

// wantKind checks an error's kind, and that it does not hold the URL's signature.
func wantKind(t testing.TB, err error, kind Kind) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v; want one of kind %q", err, kind)
	}
	if e.Kind != kind {
		t.Errorf("error %q has kind %q; want %q", e, e.Kind, kind)
	}
	if strings.Contains(err.Error(), "SECRET") || strings.Contains(fmt.Sprintf("%+v", err), "SECRET") {
		t.Errorf("the error shows the signed URL: %v", err)
	}
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

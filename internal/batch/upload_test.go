package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestUpload(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for name, c := range map[string]struct {
		size  int
		parts bool
	}{
		"nothing": {0, false}, "a byte": {1, false}, "a byte short of a part": {partSize - 1, false},
		"a part": {partSize, true}, "a byte more": {partSize + 1, true}, "parts and more": {2*partSize + 12345, true},
	} {
		content := make([]byte, c.size)
		for i := range content {
			content[i] = byte(i * i >> 8)
		}
		key := plainName(name)
		u := b.storage().upload(t.Context(), key, "text/plain", map[string]string{"a": "b"})
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 1<<20+7)
			if m, err := u.Write(rest[:n]); m != n || err != nil {
				t.Fatalf("%s: wrote %d, %v", name, m, err)
			}
			rest = rest[n:]
		}
		if err := u.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := b.get(key); got != string(content) {
			t.Errorf("%s: %d bytes are not those written", name, len(got))
		}
		h, err := b.storage().head(t.Context(), key)
		if err != nil || h.Metadata["a"] != "b" || aws.ToString(h.ContentType) != "text/plain" || aws.ToString(h.ChecksumCRC64NVME) == "" {
			t.Errorf("%s: got %+v, %v", name, h, err)
		}
	}
}

// faulty is an S3 client whose calls of one kind fail from the nth on.
type faulty struct {
	S3
	fail string
	mu   sync.Mutex
	left int
}

var errFault = errors.New("the connection broke")

func (f *faulty) fails(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if call == f.fail {
		if f.left--; f.left < 0 {
			return fmt.Errorf("call: %w", errFault)
		}
	}
	return nil
}

func (f *faulty) UploadPart(ctx context.Context, in *s3.UploadPartInput, o ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	if err := f.fails("UploadPart"); err != nil {
		return nil, err
	}
	return f.S3.UploadPart(ctx, in, o...)
}

func (f *faulty) PutObject(ctx context.Context, in *s3.PutObjectInput, o ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if err := f.fails("PutObject"); err != nil {
		return nil, err
	}
	return f.S3.PutObject(ctx, in, o...)
}

func (f *faulty) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput, o ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	if err := f.fails("CreateMultipartUpload"); err != nil {
		return nil, err
	}
	return f.S3.CreateMultipartUpload(ctx, in, o...)
}

func (f *faulty) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, o ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	if err := f.fails("CompleteMultipartUpload"); err != nil {
		return nil, err
	}
	return f.S3.CompleteMultipartUpload(ctx, in, o...)
}

func (f *faulty) HeadObject(ctx context.Context, in *s3.HeadObjectInput, o ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	if err := f.fails("HeadObject"); err != nil {
		return nil, err
	}
	return f.S3.HeadObject(ctx, in, o...)
}

func (f *faulty) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, o ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	if err := f.fails("ListObjectsV2"); err != nil {
		return nil, err
	}
	return f.S3.ListObjectsV2(ctx, in, o...)
}

func (f *faulty) GetObject(ctx context.Context, in *s3.GetObjectInput, o ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if err := f.fails("GetObject"); err != nil {
		return nil, err
	}
	return f.S3.GetObject(ctx, in, o...)
}

func TestAnUploadThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for _, c := range []struct {
		call       string
		left, size int
	}{
		{"PutObject", 0, 10}, {"CreateMultipartUpload", 0, partSize}, {"UploadPart", 0, partSize}, {"UploadPart", 1, partSize + 1},
		{"CompleteMultipartUpload", 0, partSize},
	} {
		s := b.storage()
		s.S3 = &faulty{S3: s.S3, fail: c.call, left: c.left}
		u := s.upload(t.Context(), "key", "text/plain", nil)
		_, _ = u.Write(make([]byte, c.size))
		err := u.Close()
		if errorName(err) != "DestinationUnavailable" || !errors.Is(err, errFault) {
			t.Errorf("%s: got %s %v", c.call, errorName(err), err)
		}
		if _, again := u.Write([]byte("x")); again != err {
			t.Errorf("%s: a later write: %v", c.call, again)
		}
		if b.has("key") || len(b.Uploads(t)) != 0 {
			t.Errorf("%s: something is left", c.call)
		}
	}
}

// Whatever call of S3 fails, and whichever time, the plan fails with a named error and leaves no upload; the next one
// succeeds.
func TestPlanAndManifestThroughFaults(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	in := Input{AssetIDs: ids(1, 2500)}
	p, err := Planner{Storage: b.storage()}.Plan(t.Context(), in, executionNamed("first"), 0)
	if err != nil {
		t.Fatal(err)
	}
	b.putArchive(b.groups(p)[1].Upcoming, 3)
	for _, call := range []string{"GetObject", "HeadObject", "ListObjectsV2", "PutObject"} {
		failures := 0
		for n := range 12 {
			s := b.storage()
			s.S3 = &faulty{S3: s.S3, fail: call, left: n}
			p, err := Planner{Storage: s}.Plan(t.Context(), in, executionNamed("run"), 0)
			if err == nil {
				_, err = Manifester{s}.Write(t.Context(), ManifestInput{State: State{Plan: p}})
			}
			if errorName(err) == "BatchFailed" { // no fault, but two archives are missing
				break
			}
			failures++
			if errorName(err) != "DestinationUnavailable" {
				t.Errorf("%s %d: got %s %v", call, n, errorName(err), err)
			}
		}
		if failures < 2 || failures == 12 {
			t.Errorf("%s: %d faults", call, failures)
		}
	}
	if left := b.Uploads(t); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A body that breaks off is no shorter list.
func TestABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("l.txt", "a\nb\n", nil)
	s := b.storage()
	s.S3 = &truncating{s.S3}
	_, err := Planner{Storage: s}.Plan(t.Context(), Input{List: &List{Key: "l.txt"}}, executionNamed("run"), 0)
	if errorName(err) != "DestinationUnavailable" {
		t.Errorf("got %s %v", errorName(err), err)
	}
}

type truncating struct{ S3 }

func (f *truncating) GetObject(ctx context.Context, in *s3.GetObjectInput, o ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	out, err := f.S3.GetObject(ctx, in, o...)
	if err == nil {
		out.Body.Close()
		out.Body = &brokenBody{bytes.NewReader([]byte("a\n"))}
	}
	return out, err
}

type brokenBody struct{ *bytes.Reader }

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }

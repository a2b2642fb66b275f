package transfer

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func TestRunMovesArchivesOfAllSizes(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	tr := newTransferer(t, server.Client, fastOptions())
	for name, size := range map[string]int{
		"tiny": 400, "one byte under the first range": int(firstRange) - 1, "the first range": int(firstRange),
		"one byte over the first range": int(firstRange) + 1, "two parts and a bit": int(firstRange + minPartSize + 1),
		"exact multiple": int(firstRange + 3*minPartSize), "many parts": 60 << 20,
	} {
		t.Run(name, func(t *testing.T) {
			content := exactly(t, makeZIP(t, 1, size-1000, 3), size)
			src := newSource(t, content)
			got, err := tr.Run(testContext(t), src.url(), object(server, name+".zip"))
			if err != nil {
				t.Fatal(err)
			}
			wantObject(t, server, name+".zip", content, got)
			if got.Entries != 3 {
				t.Errorf("%d entries; want 3", got.Entries)
			}
			if served := src.served.Load(); served > int64(size)+2*66<<10 {
				t.Errorf("the source served %d bytes for %d", served, size)
			}
		})
	}
}

// exactly lengthens a ZIP by a prefix, as a self-extracting archive has one, to size bytes.
func exactly(t testing.TB, zipped []byte, size int) []byte {
	t.Helper()
	if len(zipped) > size {
		return makeZIP(t, 1, 1200, 3)
	}
	prefix := make([]byte, size-len(zipped))
	copy(prefix, "#!/bin/sh\n")
	return append(prefix, zipped...)
}

func TestRunKeepsWhatTheCallerSays(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, size := range map[string]int{"small": 2000, "in parts": 20 << 20} {
		t.Run(name, func(t *testing.T) {
			src := newSource(t, makeZIP(t, 2, size, 2))
			o := object(server, "with space/"+name+".zip")
			o.Metadata = map[string]string{"job": "job_1"}
			o.Tags = map[string]string{"project": "a b"}
			if _, err := newTransferer(t, server.Client, fastOptions()).Run(testContext(t), src.url(), o); err != nil {
				t.Fatal(err)
			}
			head, err := server.Client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &o.Bucket, Key: &o.Key})
			if err != nil {
				t.Fatal(err)
			}
			if *head.ContentType != "application/zip" || *head.ContentDisposition != "attachment; filename="+name+".zip" &&
				*head.ContentDisposition != `attachment; filename="`+name+`.zip"` {
				t.Errorf("content type %q, disposition %q", *head.ContentType, *head.ContentDisposition)
			}
			for key, want := range map[string]string{"job": "job_1", metaOwner: testOwner, metaETag: src.etag} {
				if head.Metadata[key] != want {
					t.Errorf("metadata %s is %q; want %q", key, head.Metadata[key], want)
				}
			}
			tags, err := server.Client.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &o.Bucket, Key: &o.Key})
			if err != nil || len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "a b" {
				t.Errorf("tags %+v, %v", tags, err)
			}
		})
	}
}

func TestRunAgainChangesNothing(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	tr := newTransferer(t, server.Client, fastOptions())
	for name, size := range map[string]int{"small": 2000, "in parts": 20 << 20} {
		t.Run(name, func(t *testing.T) {
			content := makeZIP(t, 3, size, 2)
			src := newSource(t, content)
			o := object(server, name)
			first, err := tr.Run(testContext(t), src.url(), o)
			if err != nil {
				t.Fatal(err)
			}
			second, err := tr.Run(testContext(t), src.url(), o)
			if err != nil {
				t.Fatal(err)
			}
			wantObject(t, server, name, content, second)
			if !second.Stats.Repeated || second.ETag != first.ETag || second.Entries != first.Entries {
				t.Errorf("second run: %+v, first: %+v", second, first)
			}
		})
	}
}

func TestDestinationRules(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	tr := newTransferer(t, server.Client, fastOptions())
	for name, size := range map[string]int{"small": 2000, "in parts": 20 << 20} {
		t.Run(name, func(t *testing.T) {
			first, second := makeZIP(t, 4, size, 2), makeZIP(t, 5, size, 2)
			src := newSource(t, first)
			mine, other := object(server, name), object(server, name)
			other.Owner = "somebody else"
			if _, err := tr.Run(testContext(t), src.url(), mine); err != nil {
				t.Fatal(err)
			}
			_, err := tr.Run(testContext(t), src.url(), other)
			wantKind(t, err, KindConflict)

			src.set(func() { src.content, src.etag = second, etagOf(second) })
			got, err := tr.Run(testContext(t), src.url(), mine) // the owner's own repeat, of a job done again
			if err != nil {
				t.Fatal(err)
			}
			wantObject(t, server, name, second, got)

			src.set(func() { src.content, src.etag = first, etagOf(first) })
			other.Overwrite = true
			if got, err = tr.Run(testContext(t), src.url(), other); err != nil {
				t.Fatal(err)
			}
			wantObject(t, server, name, first, got)
		})
	}
}

// hookedS3 lets a test act at an instant of the transfer.
type hookedS3 struct {
	S3
	once          sync.Once
	beforePublish func()
	refuse        error // what the call is answered with then; nil: it is passed on
}

func (h *hookedS3) refused() (err error) {
	h.once.Do(func() { h.beforePublish(); err = h.refuse })
	return err
}

func (h *hookedS3) PutObject(ctx context.Context, in *s3.PutObjectInput, f ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if err := h.refused(); err != nil {
		return nil, err
	}
	return h.S3.PutObject(ctx, in, f...)
}

func (h *hookedS3) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, f ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	if err := h.refused(); err != nil {
		return nil, err
	}
	return h.S3.CompleteMultipartUpload(ctx, in, f...)
}

// An object that appears while the archive moves is not replaced.
func TestConflictAtTheEnd(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, size := range map[string]int{"small": 2000, "in parts": 20 << 20} {
		t.Run(name, func(t *testing.T) {
			src := newSource(t, makeZIP(t, 6, size, 2))
			o := object(server, name)
			sabotage := &hookedS3{S3: server.Client, beforePublish: func() { server.Put(t, name, "theirs") }}
			_, err := newTransferer(t, sabotage, fastOptions()).Run(testContext(t), src.url(), o)
			wantKind(t, err, KindConflict)
			if data, _ := server.Object(t, name); string(data) != "theirs" {
				t.Errorf("their object holds %d bytes", len(data))
			}
			noUploads(t, server)
		})
	}
}

// An object that was to be replaced, and is deleted while the archive moves, is no reason to fail.
func TestDeletedAtTheEnd(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, size := range map[string]int{"small": 2000, "in parts": 20 << 20} {
		t.Run(name, func(t *testing.T) {
			content := makeZIP(t, 6, size, 2)
			o := object(server, name)
			o.Overwrite = true
			server.Put(t, name, "theirs")
			// So AWS answers If-Match where there is no object ("Conditional writes", S3 User Guide).
			gone := &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 404}}, Err: &smithy.GenericAPIError{Code: "NoSuchKey"},
			}
			sabotage := &hookedS3{S3: server.Client, refuse: gone, beforePublish: func() {
				_, err := server.Client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &o.Bucket, Key: &o.Key})
				if err != nil {
					t.Error(err)
				}
			}}
			got, err := newTransferer(t, sabotage, fastOptions()).Run(testContext(t), newSource(t, content).url(), o)
			if err != nil {
				t.Fatal(err)
			}
			wantObject(t, server, name, content, got)
			noUploads(t, server)
		})
	}
}

func TestPlainEndpointBuffersParts(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	plain := server.FaultProxy(t, false, nil)
	content := makeZIP(t, 7, 40<<20, 2)
	src := newSource(t, content)
	opt := fastOptions()
	opt.MaxMemory = 20 << 20 // two buffers
	tr := newTransferer(t, server.NewClient(plain.URL, http.DefaultClient), opt)
	got, err := tr.Run(testContext(t), src.url(), object(server, "k"))
	if err != nil {
		t.Fatal(err)
	}
	wantObject(t, server, "k", content, got)
	if got.Stats.Peak > 2 {
		t.Errorf("%d parts in flight; the memory is for 2", got.Stats.Peak)
	}
}

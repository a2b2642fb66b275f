package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// opener gives the bytes of an archive from off on, n of them.
type opener = zipfile.Opener

// readZIP checks that the archive's directory is whole and accounts for the archive, and counts its entries.
func readZIP(ctx context.Context, open opener, size int64) (entries int64, err error) {
	d, err := zipfile.Read(ctx, open, size)
	if e := (*zipfile.Error)(nil); errors.As(err, &e) {
		return 0, &Error{Op: "read ZIP directory", Kind: KindCorrupt, Reason: e.Reason}
	}
	return d.Entries, err
}

// attemptZIP reads the directory until that succeeds or fails for good.
func attemptZIP(ctx context.Context, b *budget, op string, open opener, size int64) (int64, error) {
	for n := 0; ; n++ {
		entries, err := readZIP(ctx, open, size)
		if err == nil {
			return entries, nil
		}
		kind := KindSourceUnavailable
		if op == "read back" {
			kind = KindStorageUnavailable
		}
		if err := b.wait(ctx, asError(op, kind, err), n); err != nil {
			return 0, err
		}
	}
}

// opener reads ranges of the source, pinned like all others. An answer that ends early is an error here: the reader
// tries again as a whole.
func (s *source) opener() opener {
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		return s.open(ctx, off, off+n)
	}
}

// objectOpener reads ranges of the object, of this very version.
func (r *run) objectOpener(etag string) opener {
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		out, err := r.t.s3.GetObject(ctx, &s3.GetObjectInput{
			Bucket: &r.o.Bucket, Key: &r.o.Key, IfMatch: &etag, ExpectedBucketOwner: r.o.expectedOwner(),
			Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+n-1)),
		}, once)
		if errorStatus(err) == 412 || isCode(err, "PreconditionFailed", "NoSuchKey") {
			return nil, &Error{Op: "read back", Kind: KindStorageUnavailable, Reason: "the object was replaced meanwhile"}
		}
		if err != nil {
			return nil, storageError("read back", err)
		}
		got, err := parseContentRange(aws.ToString(out.ContentRange))
		if err != nil || got.from != off || got.to != off+n-1 {
			out.Body.Close()
			return nil, &Error{Op: "read back", Kind: KindStorageUnavailable, Reason: "S3 answered another range", temporary: true}
		}
		return &storageBody{out.Body}, nil
	}
}

// storageBody names errors of reading as S3's.
type storageBody struct{ io.ReadCloser }

func (b *storageBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = storageError("read back", err)
	}
	return n, err
}

package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/checksum"
	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// store makes the calls of S3 that one object needs. Those that write the object or a part of it are made once, and
// repeated by the caller, which knows what was lost; all others are repeated here, within the budget.
type store struct {
	s3      S3
	o       Object
	budget  *failure.Budget
	timeout time.Duration // for a part that S3 takes no byte of
	log     *slog.Logger
}

// callTimeout bounds every call but those that carry a part or complete an upload.
const callTimeout = 60 * time.Second

// attempt makes a call of S3 until it answers for good.
func attempt[T any](ctx context.Context, b *failure.Budget, op string, call func(context.Context) (T, error)) (T, error) {
	for n := 0; ; n++ {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		v, err := call(limited)
		cancel()
		if err == nil {
			return v, nil
		}
		e := storageError(op, inTime(ctx, op, err))
		if err := b.Wait(ctx, e, n); err != nil {
			return v, err
		}
	}
}

// inTime turns the end of a call's own time, while the caller still has some, into an error worth a retry.
func inTime(caller context.Context, op string, err error) error {
	if err != nil && caller.Err() == nil && failure.IsContextError(err) {
		return &Error{Op: op, Kind: KindStorageUnavailable, Reason: "no answer in time", Temporary: true}
	}
	return err
}

// existing is the object that the key holds now.
type existing struct {
	etag, owner, source string
	size                int64
	crc                 string
	crcType             types.ChecksumType
}

// isResultOf reports whether the object is what this owner has made of this source already.
func (e *existing) isResultOf(owner string, ident source.Identity) bool {
	return e != nil && e.owner == owner && ident.Strong() && e.source == ident.String() && e.size == ident.Size &&
		e.crc != "" && e.crcType == types.ChecksumTypeFullObject
}

// content is what the object must be.
type content struct {
	size int64
	crc  uint64
}

// is reports whether the object is this owner's, with these bytes. S3's own checksum decides.
func (e *existing) is(owner string, want content) bool {
	return e != nil && e.owner == owner && e.size == want.size && e.crc == checksum.Text(want.crc)
}

// head looks at the key; nil when there is no object.
func (s *store) head(ctx context.Context) (*existing, error) {
	const op = "look at destination"
	return attempt(ctx, s.budget, op, func(ctx context.Context) (*existing, error) {
		out, err := s.s3.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &s.o.Bucket, Key: &s.o.Key, ExpectedBucketOwner: s.o.expectedOwner(), ChecksumMode: types.ChecksumModeEnabled,
		}, once)
		switch {
		case bucket.ErrorStatus(err) == 404 || isCode(err, "NotFound", "NoSuchKey"):
			return nil, nil
		case bucket.ErrorStatus(err) == 400: // an answer to HEAD has no body: this may be a throttle as well as a refusal for good
			e := storageError(op, err)
			e.Temporary = true
			return nil, e
		case err != nil:
			return nil, err
		}
		return &existing{
			etag: aws.ToString(out.ETag), owner: out.Metadata[metaOwner], source: out.Metadata[metaSource],
			size: aws.ToInt64(out.ContentLength), crc: aws.ToString(out.ChecksumCRC64NVME), crcType: out.ChecksumType,
		}, nil
	})
}

// put writes the object, once.
func (s *store) put(ctx context.Context, data []byte, crc uint64, ident source.Identity, c condition) error {
	limited, cancel := context.WithTimeout(ctx, s.timeout+callTimeout)
	defer cancel()
	in := s.o.putInput(ident)
	in.Body, in.ContentLength = bytes.NewReader(data), aws.Int64(int64(len(data)))
	in.ChecksumAlgorithm, in.ChecksumCRC64NVME = types.ChecksumAlgorithmCrc64nvme, aws.String(checksum.Text(crc))
	in.IfNoneMatch, in.IfMatch = c.headers()
	_, err := s.s3.PutObject(limited, in, once, unsigned)
	return inTime(ctx, "put object", err)
}

// opener reads ranges of the object, of this very version.
func (s *store) opener(etag string) opener {
	const op = "read back"
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{
			Bucket: &s.o.Bucket, Key: &s.o.Key, IfMatch: &etag, ExpectedBucketOwner: s.o.expectedOwner(),
			Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+n-1)),
		}, once)
		if bucket.ErrorStatus(err) == 412 || isCode(err, "PreconditionFailed", "NoSuchKey") {
			return nil, &Error{Op: op, Kind: KindStorageUnavailable, Reason: "the object was replaced meanwhile"}
		}
		if err != nil {
			return nil, storageError(op, err)
		}
		got, err := source.ParseContentRange(aws.ToString(out.ContentRange))
		if err != nil || got.From != off || got.To != off+n-1 {
			out.Body.Close()
			return nil, &Error{Op: op, Kind: KindStorageUnavailable, Reason: "S3 answered another range", Temporary: true}
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

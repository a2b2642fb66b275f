package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

var errStorageStalled = errors.New("S3 takes no bytes")

// sendStream feeds the range straight into the part.
func (s *store) sendStream(ctx context.Context, id string, number int, length int64, body *rangeReader) (part, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body.rest = newRestTimer(s.timeout, func() { cancel(errStorageStalled) })
	out, err := s.s3.UploadPart(ctx, s.partInput(id, number, length, onlyReader{body}), once,
		withTrailer(length, body.crcSoFar))
	body.Close()
	body.rest.stop()
	crc, complete, sourceErr := body.sum()
	switch {
	case sourceErr != nil: // S3's error only follows from it
		return part{}, sourceErr
	case errors.Is(context.Cause(ctx), errStorageStalled):
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, Err: errStorageStalled, Temporary: true}
	case err != nil:
		return part{}, storageError("send part", err)
	case !complete:
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, Temporary: true,
			Reason: "S3 answered before it had the whole part"}
	}
	return acceptPart(out, crc, length)
}

// onlyReader hides Close: when the part's end is near, the SDK must not close what is summed up afterwards.
type onlyReader struct{ io.Reader }

func (s *store) sendBuffer(ctx context.Context, id string, number int, data []byte, crc uint64) (part, error) {
	limited, cancel := context.WithTimeout(ctx, s.timeout+callTimeout)
	defer cancel()
	in := s.partInput(id, number, int64(len(data)), bytes.NewReader(data))
	in.ChecksumCRC64NVME = aws.String(checksum.Text(crc))
	out, err := s.s3.UploadPart(limited, in, once, unsigned)
	if err != nil {
		return part{}, storageError("send part", inTime(ctx, "send part", err))
	}
	return acceptPart(out, crc, int64(len(data)))
}

// unsigned leaves the SHA-256 of the payload out: the checksum covers it.
func unsigned(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

func (s *store) partInput(id string, number int, length int64, body io.Reader) *s3.UploadPartInput {
	return &s3.UploadPartInput{
		Bucket: &s.o.Bucket, Key: &s.o.Key, UploadId: &id, PartNumber: aws.Int32(int32(number)),
		ContentLength: &length, Body: body, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		ExpectedBucketOwner: s.o.expectedOwner(),
	}
}

// acceptPart compares S3's checksum of what arrived with that of what passed.
func acceptPart(out *s3.UploadPartOutput, crc uint64, length int64) (part, error) {
	if got := aws.ToString(out.ChecksumCRC64NVME); got != checksum.Text(crc) {
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, Temporary: true,
			Reason: "S3 has another checksum (" + failure.Bounded(got, 80) + ") than what was sent (" + checksum.Text(crc) + ")"}
	}
	etag := aws.ToString(out.ETag)
	if etag == "" {
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, Reason: "S3 answered no ETag", Temporary: true}
	}
	return part{done: true, etag: etag, crc: crc, size: length}, nil
}

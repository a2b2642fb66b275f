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
)

var errStorageStalled = errors.New("S3 takes no bytes")

// movePart brings part number from the source to S3, however often it has to ask. buf is nil when parts stream.
func (r *run) movePart(ctx context.Context, u *upload, number int, first *probe, buf []byte) (part, error) {
	for n := 0; ; n++ {
		var passed int64
		p, err := r.tryPart(ctx, u, number, first, buf, func(b int64) {
			passed += b
			r.moved.Add(b)
			r.budget.earn(b)
		})
		if err == nil {
			return p, nil
		}
		first = nil
		r.moved.Add(-passed)
		if err := r.budget.wait(ctx, asError("send part", KindStorageUnavailable, err), n); err != nil {
			return part{}, err
		}
	}
}

func (r *run) tryPart(ctx context.Context, u *upload, number int, first *probe, buf []byte, moved func(int64)) (part, error) {
	from, to := u.layout.bounds(number)
	body := newRangeReader(ctx, r.src, r.budget, from, to, moved)
	defer body.Close()
	if first != nil {
		body.attach(first)
	} else if err := body.connect(); err != nil {
		return part{}, err
	}
	if buf != nil {
		if _, err := io.ReadFull(body, buf[:to-from]); err != nil {
			return part{}, err
		}
		return r.sendBuffer(ctx, u.id, number, buf[:to-from], body.crcSoFar())
	}
	return r.sendStream(ctx, u.id, number, to-from, body)
}

// sendStream feeds the range straight into the part.
func (r *run) sendStream(ctx context.Context, id string, number int, length int64, body *rangeReader) (part, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body.rest = newRestTimer(r.t.opt.StorageTimeout, func() { cancel(errStorageStalled) })
	out, err := r.t.s3.UploadPart(ctx, r.partInput(id, number, length, onlyReader{body}), once,
		withTrailer(length, body.crcSoFar))
	body.Close()
	body.rest.stop()
	crc, complete, sourceErr := body.sum()
	switch {
	case sourceErr != nil: // S3's error only follows from it
		return part{}, sourceErr
	case errors.Is(context.Cause(ctx), errStorageStalled):
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, Err: errStorageStalled, temporary: true}
	case err != nil:
		return part{}, storageError("send part", err)
	case !complete:
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, temporary: true,
			Reason: "S3 answered before it had the whole part"}
	}
	return acceptPart(out, crc, length)
}

// onlyReader hides Close: when the part's end is near, the SDK must not close what is summed up afterwards.
type onlyReader struct{ io.Reader }

func (r *run) sendBuffer(ctx context.Context, id string, number int, data []byte, crc uint64) (part, error) {
	limited, cancel := context.WithTimeout(ctx, r.t.opt.StorageTimeout+callTimeout)
	defer cancel()
	in := r.partInput(id, number, int64(len(data)), bytes.NewReader(data))
	in.ChecksumCRC64NVME = aws.String(crcText(crc))
	out, err := r.t.s3.UploadPart(limited, in, once, unsigned)
	if err != nil {
		return part{}, storageError("send part", inTime(ctx, "send part", err))
	}
	return acceptPart(out, crc, int64(len(data)))
}

// unsigned leaves the SHA-256 of the payload out: the checksum covers it.
func unsigned(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

func (r *run) partInput(id string, number int, length int64, body io.Reader) *s3.UploadPartInput {
	return &s3.UploadPartInput{
		Bucket: &r.o.Bucket, Key: &r.o.Key, UploadId: &id, PartNumber: aws.Int32(int32(number)),
		ContentLength: &length, Body: body, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		ExpectedBucketOwner: r.o.expectedOwner(),
	}
}

// acceptPart compares S3's sum of what arrived with ours of what passed.
func acceptPart(out *s3.UploadPartOutput, crc uint64, length int64) (part, error) {
	if got := aws.ToString(out.ChecksumCRC64NVME); got != crcText(crc) {
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, temporary: true,
			Reason: "S3 has another checksum (" + firstWords(got) + ") than what was sent (" + crcText(crc) + ")"}
	}
	etag := aws.ToString(out.ETag)
	if etag == "" {
		return part{}, &Error{Op: "send part", Kind: KindStorageUnavailable, Reason: "S3 answered no ETag", temporary: true}
	}
	return part{done: true, etag: etag, crc: crc, size: length}, nil
}

package transfer

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
)

func (s *store) sendLabel(ctx context.Context, uploadID string, number int32, text []byte) error {
	sum := checksum.Text(crc64nvme.Update(0, text))
	_, err := attempt(ctx, s.budget, "label upload", func(ctx context.Context) (*s3.UploadPartOutput, error) {
		return s.s3.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &s.o.Bucket, Key: &s.o.Key, UploadId: &uploadID, PartNumber: &number,
			Body: bytes.NewReader(text), ContentLength: aws.Int64(int64(len(text))),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumCRC64NVME: &sum,
			ExpectedBucketOwner: s.o.expectedOwner(),
		}, once)
	})
	return err
}

// listUploads are the unfinished uploads of this very key, whosever they are.
func (s *store) listUploads(ctx context.Context) ([]candidate, error) {
	var found []candidate
	pages := s3.NewListMultipartUploadsPaginator(s.s3, &s3.ListMultipartUploadsInput{
		Bucket: &s.o.Bucket, Prefix: &s.o.Key, ExpectedBucketOwner: s.o.expectedOwner(),
	})
	for pages.HasMorePages() {
		page, err := attempt(ctx, s.budget, "list uploads", func(ctx context.Context) (*s3.ListMultipartUploadsOutput, error) {
			return pages.NextPage(ctx, once)
		})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Uploads {
			if aws.ToString(u.Key) != s.o.Key { // keys are listed in order, and the key itself comes before all that it begins
				return found, nil
			}
			found = append(found, candidate{id: aws.ToString(u.UploadId), initiated: aws.ToTime(u.Initiated)})
		}
	}
	return found, nil
}

// listParts are the parts of an upload beyond a number, those with our checksum alone: others cannot be relied on. count
// is that of all.
func (s *store) listParts(ctx context.Context, id string, beyond int) (parts map[int]part, count int, err error) {
	parts = map[int]part{}
	pages := s3.NewListPartsPaginator(s.s3, &s3.ListPartsInput{
		Bucket: &s.o.Bucket, Key: &s.o.Key, UploadId: &id, ExpectedBucketOwner: s.o.expectedOwner(),
		PartNumberMarker: aws.String(strconv.Itoa(beyond)),
	})
	for pages.HasMorePages() {
		page, err := attempt(ctx, s.budget, "list parts", func(ctx context.Context) (*s3.ListPartsOutput, error) {
			return pages.NextPage(ctx, once)
		})
		if err != nil {
			return nil, 0, err
		}
		for _, p := range page.Parts {
			addListed(parts, p)
		}
		count += len(page.Parts)
	}
	return parts, count, nil
}

func addListed(parts map[int]part, p types.Part) {
	crc, ok := checksum.Parse[uint64](aws.ToString(p.ChecksumCRC64NVME))
	number := int(aws.ToInt32(p.PartNumber))
	if !ok || number < 1 || number > maxParts || aws.ToString(p.ETag) == "" {
		return
	}
	parts[number] = part{done: true, etag: *p.ETag, crc: crc, size: aws.ToInt64(p.Size)}
}

// completeTimeout: S3 may work for minutes on many parts ("CompleteMultipartUpload", S3 API Reference).
const completeTimeout = 10 * time.Minute

// complete ends the upload with the object, once.
func (s *store) complete(ctx context.Context, u *upload, want content, c condition) error {
	limited, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	parts := make([]types.CompletedPart, len(u.parts))
	for i, p := range u.parts {
		parts[i] = types.CompletedPart{
			PartNumber: aws.Int32(int32(i + 1)), ETag: aws.String(p.etag), ChecksumCRC64NVME: aws.String(checksum.Text(p.crc)),
		}
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &s.o.Bucket, Key: &s.o.Key, UploadId: &u.id, ExpectedBucketOwner: s.o.expectedOwner(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, MpuObjectSize: &want.size,
		ChecksumType: types.ChecksumTypeFullObject, ChecksumCRC64NVME: aws.String(checksum.Text(want.crc)),
	}
	in.IfNoneMatch, in.IfMatch = c.headers()
	_, err := s.s3.CompleteMultipartUpload(limited, in, once)
	return inTime(ctx, "complete upload", err)
}

// abort aborts one upload, with a context of its own when the caller's has ended.
func (s *store) abort(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	_, err := attempt(ctx, s.budget, "abort upload", func(ctx context.Context) (*s3.AbortMultipartUploadOutput, error) {
		return s.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: &s.o.Bucket, Key: &s.o.Key, UploadId: &id, ExpectedBucketOwner: s.o.expectedOwner(),
		}, once)
	})
	if isGone(err) {
		return nil
	}
	return err
}

// isGone: the upload was completed or aborted meanwhile.
func isGone(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Gone
}

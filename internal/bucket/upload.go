package bucket

import (
	"bytes"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	// partSize of an object written as a stream, in bytes: with S3's 10,000 parts, room for 80 GiB.
	partSize = 8 << 20
	// cleanupTime is what aborting an unfinished upload may take, after the caller's own time is over.
	cleanupTime = 20 * time.Second
)

// Upload writes an object as a stream: at once if it is small, in parts if not, and in both cases whole or not at all.
// It holds one part in memory. After an error every call returns that error.
type Upload struct {
	bucket      Bucket
	ctx         context.Context
	key         string
	contentType string
	metadata    map[string]string

	buffer []byte
	id     string // of the multipart upload, once there is one
	parts  []types.CompletedPart
	err    error
}

// Upload begins an object. It appears with Close; a caller that does not reach Close calls Abort.
func (b Bucket) Upload(ctx context.Context, key, contentType string, metadata map[string]string) *Upload {
	return &Upload{bucket: b, ctx: ctx, key: key, contentType: contentType, metadata: metadata}
}

// Write takes p into the object.
func (u *Upload) Write(p []byte) (int, error) {
	written := len(p)
	for u.err == nil && len(p) > 0 {
		n := min(len(p), partSize-len(u.buffer))
		u.buffer = append(u.buffer, p[:n]...)
		if p = p[n:]; len(u.buffer) == partSize {
			u.err = u.sendPart()
		}
	}
	if u.err != nil {
		return 0, u.err
	}
	return written, nil
}

func (u *Upload) sendPart() error {
	if u.id == "" {
		out, err := u.bucket.S3.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.bucket.Name, Key: &u.key, ContentType: &u.contentType, Metadata: u.metadata,
			ExpectedBucketOwner: u.bucket.owner(), ServerSideEncryption: u.bucket.encryption(), SSEKMSKeyId: optional(u.bucket.KMSKey),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
		})
		if err != nil {
			return u.bucket.failed("write", u.key, err)
		}
		u.id = aws.ToString(out.UploadId)
	}
	number := aws.Int32(int32(len(u.parts) + 1))
	out, err := u.bucket.S3.UploadPart(u.ctx, &s3.UploadPartInput{
		Bucket: &u.bucket.Name, Key: &u.key, UploadId: &u.id, PartNumber: number, Body: bytes.NewReader(u.buffer),
		ExpectedBucketOwner: u.bucket.owner(), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	if err != nil {
		return u.bucket.failed("write", u.key, err)
	}
	u.parts = append(u.parts, types.CompletedPart{PartNumber: number, ETag: out.ETag, ChecksumCRC64NVME: out.ChecksumCRC64NVME})
	u.buffer = u.buffer[:0]
	return nil
}

// Close makes the object appear.
func (u *Upload) Close() error {
	if u.err == nil {
		u.err = u.complete()
	}
	if u.err != nil {
		u.Abort()
	}
	return u.err
}

func (u *Upload) complete() error {
	if u.id == "" {
		_, err := u.bucket.Put(u.ctx, u.key, u.buffer, PutOptions{ContentType: u.contentType, Metadata: u.metadata})
		return err
	}
	if len(u.buffer) > 0 {
		if err := u.sendPart(); err != nil {
			return err
		}
	}
	_, err := u.bucket.S3.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket.Name, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: u.bucket.owner(),
		ChecksumType:    types.ChecksumTypeFullObject,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	if err != nil {
		return u.bucket.failed("write", u.key, err)
	}
	u.id = ""
	return nil
}

// Abort leaves nothing of an object that was not completed. Should that fail, the bucket's lifecycle rule does it.
func (u *Upload) Abort() {
	if u.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), cleanupTime)
	defer cancel()
	_, _ = u.bucket.S3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.bucket.Name, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: u.bucket.owner(),
	})
	u.id = ""
}

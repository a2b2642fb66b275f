package transfer

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// hookedS3 lets a test act at an instant of the transfer.
type hookedS3 struct {
	S3
	once          sync.Once
	beforePublish func()
}

func (h *hookedS3) PutObject(ctx context.Context, in *s3.PutObjectInput, f ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	h.once.Do(h.beforePublish)
	return h.S3.PutObject(ctx, in, f...)
}

func (h *hookedS3) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, f ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	h.once.Do(h.beforePublish)
	return h.S3.CompleteMultipartUpload(ctx, in, f...)
}

func putPlain(t testing.TB, server *s3test.Server, key string, data []byte) {
	t.Helper()
	if _, err := server.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: &key, Body: bytes.NewReader(data)}); err != nil {
		t.Error(err)
	}
}

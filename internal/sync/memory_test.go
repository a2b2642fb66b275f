package sync

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// memoryS3 is as much of S3 as a sync uses, in memory: hundreds of schedules take seconds.
type memoryS3 struct {
	bucket.S3 // for the calls that no sync makes

	mu      sync.Mutex
	objects map[string]stored
	uploads map[string][]byte
	// write is called before each write, and may refuse it.
	write func() error
	reads int
}

type stored struct {
	body     []byte
	metadata map[string]string
}

func (o stored) etag() string {
	sum := md5.Sum(o.body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func newMemoryS3() *memoryS3 {
	return &memoryS3{objects: map[string]stored{}, uploads: map[string][]byte{}, write: func() error { return nil }}
}

func (m *memoryS3) bucket() bucket.Bucket { return bucket.Bucket{S3: m, Name: "bucket"} }

func (m *memoryS3) get(key string) (stored, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	o, ok := m.objects[key]
	return o, ok
}

func apiError(code string) error { return &smithy.GenericAPIError{Code: code} }

func (m *memoryS3) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	o, ok := m.get(*in.Key)
	if !ok {
		return nil, apiError("NoSuchKey")
	}
	return &s3.GetObjectOutput{
		Body: io.NopCloser(bytes.NewReader(o.body)), ETag: aws.String(o.etag()), Metadata: o.metadata, ContentLength: aws.Int64(int64(len(o.body))),
	}, ctx.Err()
}

func (m *memoryS3) HeadObject(ctx context.Context, in *s3.HeadObjectInput, _ ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	o, ok := m.get(*in.Key)
	if !ok {
		return nil, apiError("NotFound")
	}
	return &s3.HeadObjectOutput{ETag: aws.String(o.etag()), Metadata: o.metadata, ContentLength: aws.Int64(int64(len(o.body)))}, ctx.Err()
}

func (m *memoryS3) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, there := m.objects[*in.Key]
	if in.IfNoneMatch != nil && there || in.IfMatch != nil && there && *in.IfMatch != old.etag() {
		return nil, apiError("PreconditionFailed")
	}
	if in.IfMatch != nil && !there {
		return nil, apiError("NoSuchKey")
	}
	if err := m.write(); err != nil {
		return nil, err
	}
	o := stored{body, maps.Clone(in.Metadata)}
	m.objects[*in.Key] = o
	return &s3.PutObjectOutput{ETag: aws.String(o.etag())}, nil
}

func (m *memoryS3) CopyObject(_ context.Context, in *s3.CopyObjectInput, _ ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write(); err != nil {
		return nil, err
	}
	o, there := m.objects[strings.TrimPrefix(*in.CopySource, "bucket/")]
	if !there {
		return nil, apiError("NoSuchKey")
	}
	m.objects[*in.Key] = o
	return &s3.CopyObjectOutput{}, nil
}

func (m *memoryS3) DeleteObject(_ context.Context, in *s3.DeleteObjectInput, _ ...func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write(); err != nil {
		return nil, err
	}
	delete(m.objects, *in.Key)
	return &s3.DeleteObjectOutput{}, nil
}

func (m *memoryS3) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	out := &s3.ListObjectsV2Output{}
	after := aws.ToString(in.StartAfter) + aws.ToString(in.ContinuationToken)
	for _, key := range m.keys(aws.ToString(in.Prefix)) {
		if key <= after {
			continue
		}
		if len(out.Contents) == 1000 {
			out.IsTruncated, out.NextContinuationToken = aws.Bool(true), out.Contents[999].Key
			return out, nil
		}
		out.Contents = append(out.Contents, types.Object{Key: aws.String(key)})
	}
	return out, nil
}

func (m *memoryS3) keys(prefix string) (keys []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.objects {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (m *memoryS3) CreateMultipartUpload(_ context.Context, in *s3.CreateMultipartUploadInput, _ ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uploads[*in.Key] = nil
	return &s3.CreateMultipartUploadOutput{UploadId: in.Key}, nil
}

func (m *memoryS3) UploadPart(_ context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	body, err := io.ReadAll(in.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uploads[*in.Key] = append(m.uploads[*in.Key], body...)
	return &s3.UploadPartOutput{ETag: aws.String("part")}, err
}

func (m *memoryS3) CompleteMultipartUpload(_ context.Context, in *s3.CompleteMultipartUploadInput, _ ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.write(); err != nil {
		return nil, err
	}
	m.objects[*in.Key] = stored{body: m.uploads[*in.Key]}
	delete(m.uploads, *in.Key)
	return &s3.CompleteMultipartUploadOutput{}, nil
}

func (m *memoryS3) AbortMultipartUpload(_ context.Context, in *s3.AbortMultipartUploadInput, _ ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.uploads, *in.Key)
	return &s3.AbortMultipartUploadOutput{}, nil
}

// errKilled is what every write meets after the process was killed.
var errKilled = errors.New("killed")

// killAfter lets so many writes pass and no more, until it is called again; below 0: all.
func (m *memoryS3) killAfter(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.write = func() error {
		if n == 0 {
			return errKilled
		}
		n--
		return nil
	}
}

package bucket

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// PutOptions describe what is written, and under which condition. IsChanged reports a condition that does not hold.
type PutOptions struct {
	ContentType string
	Metadata    map[string]string
	IfMissing   bool   // only where there is no object yet
	IfETag      string // only in the place of this very object, in its quotes or without; "" asks nothing
}

// Put writes an object, and returns its ETag.
func (b Bucket) Put(ctx context.Context, key string, content []byte, o PutOptions) (string, error) {
	in := &s3.PutObjectInput{
		Bucket: &b.Name, Key: &key, Body: bytes.NewReader(content), ContentType: optional(o.ContentType), Metadata: o.Metadata,
		ExpectedBucketOwner: b.owner(), ServerSideEncryption: b.encryption(), SSEKMSKeyId: optional(b.KMSKey),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, IfMatch: etag(o.IfETag),
	}
	if o.IfMissing {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := b.S3.PutObject(ctx, in)
	if err != nil {
		return "", b.failed("write", key, err)
	}
	return aws.ToString(out.ETag), nil
}

// Copy copies an object of at most 5 GiB (S3: CopyObject), with its metadata, within the bucket. With fromETag, another
// object at from is an error for which IsChanged is true. It returns the copy's ETag.
func (b Bucket) Copy(ctx context.Context, from, fromETag, to string) (string, error) {
	segments := strings.Split(from, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), "+", "%2B") // some servers take + for a space
	}
	source := b.Name + "/" + strings.Join(segments, "/")
	out, err := b.S3.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &b.Name, Key: &to, CopySource: &source, CopySourceIfMatch: etag(fromETag), ExpectedBucketOwner: b.owner(),
		ExpectedSourceBucketOwner: b.owner(), ServerSideEncryption: b.encryption(), SSEKMSKeyId: optional(b.KMSKey),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
	if err != nil {
		return "", b.failed("copy", from, err)
	}
	if out.CopyObjectResult == nil {
		return "", nil
	}
	return aws.ToString(out.CopyObjectResult.ETag), nil
}

// Delete removes an object; one that is not there is no error. With ifETag, another object at the key stays, with an
// error for which IsChanged is true.
func (b Bucket) Delete(ctx context.Context, key, ifETag string) error {
	_, err := b.S3.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &b.Name, Key: &key, ExpectedBucketOwner: b.owner(), IfMatch: etag(ifETag),
	})
	if err != nil && !IsMissing(err) {
		return b.failed("remove", key, err)
	}
	return nil
}

func (b Bucket) encryption() types.ServerSideEncryption { return Encryption(b.KMSKey) }

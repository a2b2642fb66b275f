package transfer

import (
	"maps"
	"mime"
	"path"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// Metadata that marks an object as this package's work.
const (
	metaOwner  = "transfer-owner"
	metaSource = "transfer-source"
	metaETag   = "transfer-source-etag"

	contentType = "application/zip"

	maxKeyBytes   = 1024 // "Naming Amazon S3 objects", S3 User Guide
	maxOwnerBytes = 512
)

func (o *Object) check() error {
	switch {
	case o.Bucket == "" || o.Key == "":
		return invalid("no bucket or no key")
	case len(o.Key) > maxKeyBytes || !utf8.ValidString(o.Key):
		return invalid("the key is longer than %d bytes or not UTF-8", maxKeyBytes)
	case o.Owner == "" || len(o.Owner) > maxOwnerBytes || !bucket.IsPrintable(o.Owner):
		return invalid("the owner must be 1 to %d bytes of printable ASCII", maxOwnerBytes)
	}
	return nil
}

// disposition lets a browser save the object under its name (RFC 6266).
func (o *Object) disposition() string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(o.Key)})
}

func (o *Object) metadata(ident source.Identity) map[string]string {
	m := map[string]string{metaOwner: o.Owner, metaSource: ident.String()}
	if v := ident.Validator(); v != "" && bucket.IsPrintable(v) && len(v) <= 128 {
		m[metaETag] = v
	}
	maps.Copy(m, o.Metadata)
	return m
}

func (o *Object) expectedOwner() *string {
	if o.BucketOwner == "" {
		return nil
	}
	return &o.BucketOwner
}

func (o *Object) createInput(ident source.Identity) *s3.CreateMultipartUploadInput {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &o.Bucket, Key: &o.Key, ExpectedBucketOwner: o.expectedOwner(),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
		ContentType: aws.String(contentType), ContentDisposition: aws.String(o.disposition()), Metadata: o.metadata(ident),
		Tagging: bucket.Tagging(o.Tags), ServerSideEncryption: bucket.Encryption(o.KMSKeyID),
	}
	if o.KMSKeyID != "" {
		in.SSEKMSKeyId = &o.KMSKeyID
	}
	return in
}

// putInput is of an object without SSE-KMS: see putInParts.
func (o *Object) putInput(ident source.Identity) *s3.PutObjectInput {
	return &s3.PutObjectInput{
		Bucket: &o.Bucket, Key: &o.Key, ExpectedBucketOwner: o.expectedOwner(),
		ContentType: aws.String(contentType), ContentDisposition: aws.String(o.disposition()), Metadata: o.metadata(ident),
		Tagging: bucket.Tagging(o.Tags),
	}
}

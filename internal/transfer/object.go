package transfer

import (
	"fmt"
	"mime"
	"net/url"
	"path"
	"strings"
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

	maxKeyBytes      = 1024 // "Naming Amazon S3 objects", S3 User Guide
	maxOwnerBytes    = 512
	maxMetadataBytes = 2048 // user-defined metadata, keys and values ("Working with object metadata", S3 User Guide)
	maxTags          = 10   // "Categorizing your objects using tags", S3 User Guide
)

// complete checks what a caller gave and fills in the defaults.
func (o *Object) complete() error {
	switch {
	case o.Bucket == "" || o.Key == "":
		return invalid("no bucket or no key")
	case len(o.Key) > maxKeyBytes || !utf8.ValidString(o.Key):
		return invalid("the key is longer than %d bytes or not UTF-8", maxKeyBytes)
	case o.Owner == "" || len(o.Owner) > maxOwnerBytes || !bucket.IsPrintable(o.Owner):
		return invalid("the owner must be 1 to %d bytes of printable ASCII", maxOwnerBytes)
	case len(o.Tags) > maxTags:
		return invalid("%d tags; S3 takes %d", len(o.Tags), maxTags)
	case !bucket.IsPrintable(o.ContentType) || !bucket.IsPrintable(o.ContentDisposition):
		return invalid("content type or disposition is not printable ASCII")
	}
	total := 0
	for k, v := range o.Metadata {
		if k == "" || !bucket.IsPrintable(k) || !bucket.IsPrintable(v) || strings.ContainsAny(k, " :") {
			return invalid("metadata %q is not printable ASCII", k)
		}
		if strings.HasPrefix(strings.ToLower(k), "transfer-") {
			return invalid("metadata %q: the prefix transfer- is taken", k)
		}
		total += len(k) + len(v)
	}
	if total > maxMetadataBytes-maxOwnerBytes-256 {
		return invalid("metadata of %d bytes; S3 takes %d in all", total, maxMetadataBytes)
	}
	if o.ContentType == "" {
		o.ContentType = "application/zip"
	}
	if o.ContentDisposition == "" {
		o.ContentDisposition = disposition(path.Base(o.Key))
	}
	return nil
}

// disposition is RFC 6266's, with the encoded form for names beyond ASCII.
func disposition(name string) string {
	if d := mime.FormatMediaType("attachment", map[string]string{"filename": name}); d != "" {
		return d
	}
	return "attachment"
}

func (o *Object) metadata(ident source.Identity) map[string]string {
	m := map[string]string{metaOwner: o.Owner, metaSource: ident.String()}
	if v := ident.Validator(); v != "" && bucket.IsPrintable(v) && len(v) <= 128 {
		m[metaETag] = v
	}
	for k, v := range o.Metadata {
		m[strings.ToLower(k)] = v
	}
	return m
}

func (o *Object) tagging() *string {
	if len(o.Tags) == 0 {
		return nil
	}
	v := url.Values{}
	for k, t := range o.Tags {
		v.Set(k, t)
	}
	return aws.String(v.Encode())
}

func (o *Object) encryption() (types.ServerSideEncryption, *string) {
	if o.KMSKeyID == "" {
		return "", nil
	}
	return types.ServerSideEncryptionAwsKms, &o.KMSKeyID
}

func (o *Object) expectedOwner() *string {
	if o.BucketOwner == "" {
		return nil
	}
	return &o.BucketOwner
}

// checkEncryption: a server that does not know SSE-KMS stores in the clear and says nothing.
func (o *Object) checkEncryption(got types.ServerSideEncryption) error {
	if o.KMSKeyID != "" && got != types.ServerSideEncryptionAwsKms {
		return &Error{Op: "create upload", Kind: KindStorageRefused,
			Reason: fmt.Sprintf("asked for SSE-KMS, S3 answered %q", got)}
	}
	return nil
}

func (o *Object) createInput(ident source.Identity) *s3.CreateMultipartUploadInput {
	sse, key := o.encryption()
	return &s3.CreateMultipartUploadInput{
		Bucket: &o.Bucket, Key: &o.Key, ExpectedBucketOwner: o.expectedOwner(),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
		ContentType: &o.ContentType, ContentDisposition: &o.ContentDisposition, Metadata: o.metadata(ident),
		Tagging: o.tagging(), ServerSideEncryption: sse, SSEKMSKeyId: key,
	}
}

func (o *Object) putInput(ident source.Identity) *s3.PutObjectInput {
	sse, key := o.encryption()
	return &s3.PutObjectInput{
		Bucket: &o.Bucket, Key: &o.Key, ExpectedBucketOwner: o.expectedOwner(),
		ContentType: &o.ContentType, ContentDisposition: &o.ContentDisposition, Metadata: o.metadata(ident),
		Tagging: o.tagging(), ServerSideEncryption: sse, SSEKMSKeyId: key,
	}
}

package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// S3 is what this package needs of the S3 client.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// Storage is the deployment's bucket.
type Storage struct {
	S3     S3
	Bucket string
	Owner  string // the account that must own the bucket; "" checks nothing
	KMSKey string // for what is written; "" leaves it to the bucket's default
}

func (s Storage) owner() *string { return optional(s.Owner) }

func optional(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}

// open reads an object. A failure in the middle of its body is named, too, and never looks like the object's end.
func (s Storage) open(ctx context.Context, key string) (io.ReadCloser, error) {
	return s.get(ctx, &s3.GetObjectInput{Key: &key})
}

// openList reads a list of the caller's.
func (s Storage) openList(ctx context.Context, l List) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Key: &l.Key, VersionId: optional(l.VersionID)}
	if l.ETag != "" {
		in.IfMatch = aws.String(`"` + l.ETag + `"`)
	}
	return s.get(ctx, in)
}

func (s Storage) get(ctx context.Context, in *s3.GetObjectInput) (io.ReadCloser, error) {
	in.Bucket, in.ExpectedBucketOwner = &s.Bucket, s.owner()
	out, err := s.S3.GetObject(ctx, in)
	if err != nil {
		return nil, s.failed("read", *in.Key, err)
	}
	return &body{ReadCloser: out.Body, key: *in.Key, storage: s}, nil
}

type body struct {
	io.ReadCloser
	key     string
	storage Storage
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.storage.failed("read", b.key, err)
	}
	return n, err
}

// refusals are S3's answers that stay the same until somebody changes something.
var refusals = []string{"AccessDenied", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "PermanentRedirect",
	"AllAccessDisabled", "AccountProblem", "InvalidBucketName", "KMS.DisabledException", "KMS.NotFoundException"}

// failed makes the named error of a failure of S3. It says nothing of the URL.
func (s Storage) failed(op, key string, err error) error {
	what := fmt.Sprintf("S3: %s %q in %q", op, abbreviate(key), s.Bucket)
	var api smithy.APIError
	if !errors.As(err, &api) {
		for u := (*url.Error)(nil); errors.As(err, &u); {
			err = u.Err
		}
		return archive.NewError(archive.DestinationUnavailable, err, "%s: %v. Start the execution again later", what, err)
	}
	reason := api.ErrorCode()
	if m := api.ErrorMessage(); m != "" {
		reason += ": " + m
	}
	if status := statusOf(err); slices.Contains(refusals, api.ErrorCode()) || status >= 400 && status < 500 &&
		status != http.StatusRequestTimeout && status != http.StatusTooManyRequests {
		return archive.NewError(archive.DestinationRefused, err, "%s: %s. Check the bucket, its policy, its KMS key "+
			"and the function's role", what, reason)
	}
	return archive.NewError(archive.DestinationUnavailable, err, "%s: %s. Start the execution again later", what, reason)
}

func statusOf(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) && r.Response != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

// isMissing says that there is no such object (or version of it), which is not the same as no such bucket.
func isMissing(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NoSuchVersion" ||
		api.ErrorCode() == "NotFound" || api.ErrorCode() == "MethodNotAllowed") // of a delete marker
}

// head is what an object is, or nil if there is none.
func (s Storage) head(ctx context.Context, key string) (*s3.HeadObjectOutput, error) {
	out, err := s.S3.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &s.Bucket, Key: &key, ExpectedBucketOwner: s.owner(), ChecksumMode: "ENABLED",
	})
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed("look at", key, err)
	}
	return out, nil
}

// list calls yield with the keys that begin with prefix and come after a key, in order, until it says false.
func (s Storage) list(ctx context.Context, prefix, after string, yield func(key string) bool) error {
	in := &s3.ListObjectsV2Input{
		Bucket: &s.Bucket, Prefix: &prefix, StartAfter: optional(after), ExpectedBucketOwner: s.owner(),
	}
	for {
		out, err := s.S3.ListObjectsV2(ctx, in)
		if err != nil {
			return s.failed("list", prefix, err)
		}
		for _, o := range out.Contents {
			if !yield(aws.ToString(o.Key)) {
				return nil
			}
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextContinuationToken) == "" {
			return nil
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

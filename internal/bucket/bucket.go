// Package bucket reads and writes the deployment's bucket in S3. What fails is an archive.Error: DestinationRefused for
// what stays until it is fixed, DestinationUnavailable for what may pass. Retries are the S3 client's, of Client.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3 is what this package calls of S3; *s3.Client has it.
type S3 interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error)
}

// Presigner signs links; *s3.PresignClient has it.
type Presigner interface {
	PresignGetObject(context.Context, *s3.GetObjectInput, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
}

// Bucket is a bucket and how it is reached.
type Bucket struct {
	S3     S3
	Signer Presigner // for Presign alone, as Credentials
	// Credentials are those that Signer signs with; nil says nothing of when they end.
	Credentials aws.CredentialsProvider
	Name        string
	Owner       string // the account that must own the bucket; "" checks nothing
	KMSKey      string // for what is written; "" leaves it to the bucket's default
}

// FromEnvironment is New with the AWS SDK's configuration from the environment.
func FromEnvironment(getenv func(string) string) (Bucket, error) {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return Bucket{}, fmt.Errorf("the AWS SDK's configuration: %w", err)
	}
	return New(cfg, getenv)
}

// New is the bucket that BUCKET names, with BUCKET_OWNER, KMS_KEY_ID and DOWNLOAD_ENDPOINT_URL if they are set.
func New(cfg aws.Config, getenv func(string) string) (Bucket, error) {
	if getenv("BUCKET") == "" {
		return Bucket{}, errors.New("BUCKET is not set: it names the bucket that archives go to")
	}
	client := Client(cfg, getenv)
	return Bucket{
		S3: client, Signer: signer(client, getenv("DOWNLOAD_ENDPOINT_URL")), Credentials: cfg.Credentials,
		Name: getenv("BUCKET"), Owner: getenv("BUCKET_OWNER"), KMSKey: getenv("KMS_KEY_ID"),
	}, nil
}

// Client makes the S3 client. A local S3 server has no name for each bucket: where AWS_ENDPOINT_URL_S3 is set, the
// bucket's name goes into the path.
func Client(cfg aws.Config, getenv func(string) string, options ...func(*s3.Options)) *s3.Client {
	all := append([]func(*s3.Options){func(o *s3.Options) {
		o.UsePathStyle = getenv("AWS_ENDPOINT_URL_S3") != ""
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, TransientCodes...)
	}}, options...)
	return s3.NewFromConfig(cfg, all...)
}

// signer signs for another endpoint than the client's own, where that is not one that people reach: a VPC endpoint, or
// the S3 server of a local run.
func signer(client *s3.Client, endpoint string) Presigner {
	return s3.NewPresignClient(client, func(o *s3.PresignOptions) {
		if endpoint != "" {
			o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) {
				o.BaseEndpoint, o.UsePathStyle = &endpoint, true
			})
		}
	})
}

// PresignOptions are what a signed link has S3 answer. The zero value leaves the object's own headers.
type PresignOptions struct {
	ContentDisposition string
	ContentType        string
}

// Presign makes a link that reads an object without credentials, for so long, or until the credentials that sign it end.
// It asks nobody: the link is made of an object that is not there, too.
func (b Bucket) Presign(ctx context.Context, key string, lifetime time.Duration, o PresignOptions) (link string, expires time.Time, err error) {
	expires = time.Now().Add(lifetime)
	signed, err := b.Signer.PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: &b.Name, Key: &key,
		ResponseContentDisposition: optional(o.ContentDisposition), ResponseContentType: optional(o.ContentType),
	}, s3.WithPresignExpires(lifetime))
	if err != nil {
		return "", expires, fmt.Errorf("sign: %w", err)
	}
	if b.Credentials == nil {
		return signed.URL, expires, nil
	}
	c, err := b.Credentials.Retrieve(ctx) // the signer has just had them
	if err == nil && c.CanExpire && c.Expires.Before(expires) {
		expires = c.Expires
	}
	return signed.URL, expires, err
}

func (b Bucket) owner() *string { return optional(b.Owner) }

func optional(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}

// Package objects is the S3 of distributed Map states, by AWS's own client.
package objects

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Bucket reads and writes objects of any bucket that its client reaches.
type Bucket struct{ Client *s3.Client }

// OpenObject begins to read an object.
func (b Bucket) OpenObject(ctx context.Context, o asl.Object) (io.ReadCloser, string, error) {
	out, err := b.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key})
	if err != nil {
		return nil, "", plain(err)
	}
	return out.Body, aws.ToString(out.ETag), nil
}

// PutObject writes an object of that many bytes.
func (b Bucket) PutObject(ctx context.Context, bucket, key string, body io.ReadSeeker, size int64) error {
	_, err := b.Client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: body, ContentLength: &size, ContentType: aws.String(contentType(key)),
	})
	return plain(err)
}

func contentType(key string) string {
	if strings.HasSuffix(key, ".json") {
		return "application/json"
	}
	return "application/octet-stream"
}

// plain is what S3 says was wrong, without the client's own words around it, which name addresses and request IDs.
func plain(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return errors.New(strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": "))
	}
	if err != nil {
		return errors.New("S3 did not answer as it should")
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// storage is what this function calls of S3; *s3.Client has it.
type storage interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// store is the bucket.
type store struct {
	s3            storage
	bucket, owner string // owner is the account that the bucket must belong to; "" asks nothing
}

// errGone says that an object is no longer there, or has been replaced by another, which has an event of its own.
var errGone = errors.New("the object is gone or was replaced")

// open reads the very object that an event told of. The caller closes it.
func (s store) open(ctx context.Context, o object) (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &o.key, ExpectedBucketOwner: optional(s.owner), VersionId: optional(o.version)}
	if o.version == "" && o.etag != "" {
		in.IfMatch = aws.String(`"` + o.etag + `"`)
	}
	out, err := s.s3.GetObject(ctx, in)
	switch status := statusOf(err); {
	case err == nil:
		return out, nil
	case status == http.StatusNotFound, status == http.StatusPreconditionFailed, status == http.StatusMethodNotAllowed: // a delete marker
		return nil, errGone
	}
	return nil, storageError("read "+o.key, err)
}

const maxNote = 64 << 10

// note reads what was written beside a request earlier: whose it is, "" when there is nothing to be read.
func (s store) note(ctx context.Context, key string) (request string) {
	out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, ExpectedBucketOwner: optional(s.owner)})
	if err != nil {
		return ""
	}
	defer out.Body.Close()
	var note struct {
		Request string `json:"request"`
	}
	if err := json.NewDecoder(io.LimitReader(out.Body, maxNote)).Decode(&note); err != nil {
		return ""
	}
	return note.Request
}

func (s store) put(ctx context.Context, key string, v any) error {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := s.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(body.Bytes()), ContentType: aws.String("application/json"),
		ExpectedBucketOwner: optional(s.owner),
	})
	if err != nil {
		return storageError("write "+key, err)
	}
	return nil
}

func (s store) remove(ctx context.Context, key string) error {
	_, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key, ExpectedBucketOwner: optional(s.owner)})
	if err != nil {
		return storageError("remove "+key, err)
	}
	return nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

var retryable = retry.NewStandard()

// storageError tells what passes by itself from what somebody has to mend.
func storageError(op string, err error) error {
	var api smithy.APIError
	var network *url.Error
	cause := err
	if errors.As(err, &api) {
		cause = api
	} else if errors.As(err, &network) {
		cause = network.Err
	}
	if status := statusOf(err); status < 400 || status >= 500 || retryable.IsErrorRetryable(err) {
		return transient{fmt.Errorf("S3: %s: %w", op, cause)}
	}
	return archive.NewError(archive.Misconfigured, err, "S3 refuses to %s: %v. Check the bucket, its policy, its "+
		"KMS key and the function's role", op, cause)
}

// transient is an error that another delivery of the same event may not meet.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

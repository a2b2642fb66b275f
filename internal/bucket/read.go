package bucket

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Info is what S3 says of an object.
type Info struct {
	Size            int64  // bytes; of what is read, when a range was asked for
	ETag            string // in its quotes
	CRC64NVME       string // of the whole object, in Base64; "" where S3 has none
	ContentType     string
	ContentEncoding string
	Modified        time.Time
	Metadata        map[string]string
}

// Object is an object that is being read. A failure in the middle of it is a named error, too, and never looks like its
// end. Its reader closes it.
type Object struct {
	Info
	body   io.ReadCloser
	failed func(error) error
}

// Read reads on.
func (o *Object) Read(p []byte) (int, error) {
	n, err := o.body.Read(p)
	if err != nil && err != io.EOF {
		err = o.failed(err)
	}
	return n, err
}

// Close ends reading.
func (o *Object) Close() error { return o.body.Close() }

// GetOptions say which object is meant, and how much of it.
type GetOptions struct {
	VersionID string // "" is the latest
	ETag      string // in its quotes or without; another object is an error for which IsChanged is true. "" takes any
	From, To  int64  // bytes from From to before To; To 0 is the end
}

// Get begins to read an object.
func (b Bucket) Get(ctx context.Context, key string, o GetOptions) (*Object, error) {
	in := &s3.GetObjectInput{
		Bucket: &b.Name, Key: &key, ExpectedBucketOwner: b.owner(), VersionId: optional(o.VersionID), IfMatch: etag(o.ETag),
	}
	switch {
	case o.To > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", o.From, o.To-1))
	case o.From > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", o.From))
	}
	out, err := b.S3.GetObject(ctx, in)
	if err != nil {
		return nil, b.failed("read", key, err)
	}
	return &Object{
		Info: Info{
			Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), CRC64NVME: aws.ToString(out.ChecksumCRC64NVME),
			ContentType: aws.ToString(out.ContentType), ContentEncoding: aws.ToString(out.ContentEncoding),
			Modified: aws.ToTime(out.LastModified), Metadata: out.Metadata,
		},
		body: out.Body, failed: func(err error) error { return b.failed("read", key, err) },
	}, nil
}

// Read reads an object of at most so many bytes. A longer one is ErrTooLarge.
func (b Bucket) Read(ctx context.Context, key string, most int64, o GetOptions) ([]byte, Info, error) {
	object, err := b.Get(ctx, key, o)
	if err != nil {
		return nil, Info{}, err
	}
	defer object.Close()
	content, err := io.ReadAll(io.LimitReader(object, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, object.Info, fmt.Errorf("%.100q: %w (%d bytes)", key, ErrTooLarge, most)
	}
	return content, object.Info, err
}

// Head is what an object is, or nil if there is none.
func (b Bucket) Head(ctx context.Context, key string) (*Info, error) {
	out, err := b.S3.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.Name, Key: &key, ExpectedBucketOwner: b.owner(), ChecksumMode: "ENABLED",
	})
	if IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, b.failed("look at", key, err)
	}
	return &Info{
		Size: aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), CRC64NVME: aws.ToString(out.ChecksumCRC64NVME),
		ContentType: aws.ToString(out.ContentType), ContentEncoding: aws.ToString(out.ContentEncoding),
		Modified: aws.ToTime(out.LastModified), Metadata: out.Metadata,
	}, nil
}

// Entry is an object in a list.
type Entry struct {
	Key      string
	Size     int64  // bytes
	ETag     string // in its quotes
	Modified time.Time
}

// List gives the objects whose keys begin with prefix and come after a key, in the order of their keys. An error is the
// last that it gives.
func (b Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		in := &s3.ListObjectsV2Input{
			Bucket: &b.Name, Prefix: &prefix, StartAfter: optional(after), ExpectedBucketOwner: b.owner(),
		}
		for {
			out, err := b.S3.ListObjectsV2(ctx, in)
			if err != nil {
				yield(Entry{}, b.failed("list", prefix, err))
				return
			}
			for _, o := range out.Contents {
				if !yield(Entry{aws.ToString(o.Key), aws.ToInt64(o.Size), aws.ToString(o.ETag), aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextContinuationToken) == "" {
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
}

// etag is an ETag as a condition has it.
func etag(value string) *string {
	if value != "" && !strings.HasPrefix(value, `"`) {
		value = `"` + value + `"`
	}
	return optional(value)
}

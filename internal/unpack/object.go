package unpack

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/checksum"
)

// Metadata that marks an object as this package's work.
const (
	metaOwner  = "unpack-owner"
	metaSource = "unpack-archive-etag"
	metaCRC32  = "crc32"
	metaPart   = "unpack-part" // the job's, if it has one
	// Of contents.jsonl alone: the sums of what it lists.
	metaObjects = "unpack-objects"
	metaBytes   = "unpack-bytes"
)

// object is what is to be at a key.
type object struct {
	key         string
	contentType string
	size        int64
	crc         uint32
	metadata    map[string]string // beyond what all have
	match       string            // the ETag of this owner's object that it replaces; "" for none
}

// meta is all of an object's metadata.
func (r *run) meta(o *object) map[string]string {
	m := map[string]string{metaOwner: r.j.Owner, metaSource: strings.Trim(r.source.etag, `"`)}
	if r.j.Part != "" {
		m[metaPart] = r.j.Part
	}
	maps.Copy(m, r.j.Metadata)
	maps.Copy(m, o.metadata)
	return m
}

// checkEncryption compares how S3 has encrypted with what was asked for.
func (r *run) checkEncryption(got types.ServerSideEncryption) error {
	if err := bucket.CheckEncryption(r.j.KMSKeyID, got); err != nil {
		return &Error{Op: "write", Kind: KindStorageRefused, Err: err}
	}
	return nil
}

// condition is what must hold when the object appears.
func (r *run) condition(o *object) (ifNoneMatch, ifMatch *string) {
	switch {
	case r.j.Overwrite && r.j.Part == "":
		return nil, nil
	case o.match != "":
		return nil, &o.match
	}
	return aws.String("*"), nil
}

// existing is what a key holds, with its checksum.
type existing = s3.HeadObjectOutput

// head looks at a key; nil when there is nothing.
func (r *run) head(ctx context.Context, key string) (*existing, error) {
	out, err := r.s3.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &r.j.Bucket, Key: &key, ExpectedBucketOwner: optional(r.j.BucketOwner), ChecksumMode: types.ChecksumModeEnabled,
	})
	if bucket.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, storageError("look at "+key, err)
	}
	return out, nil
}

// isOurs: this owner's object, of this very archive, whole.
func (r *run) isOurs(e *existing) bool {
	return e != nil && e.Metadata[metaOwner] == r.j.Owner && e.Metadata[metaSource] == strings.Trim(r.source.etag, `"`) &&
		e.ChecksumCRC32 != nil && e.ChecksumType == types.ChecksumTypeFullObject
}

// isDone: the key holds what it is to hold.
func (r *run) isDone(e *existing, o *object) bool {
	return r.isOurs(e) && aws.ToInt64(e.ContentLength) == o.size && *e.ChecksumCRC32 == checksum.Text(o.crc)
}

// claim decides what to do about what a key holds: nothing, as it is done; replace this owner's own; move the entry to
// another key, with errTaken; or give up.
func (r *run) claim(e *existing, o *object) (done bool, err error) {
	switch {
	case e == nil:
		o.match = ""
		return false, nil
	case r.isDone(e, o):
		return true, nil
	}
	owner, part := e.Metadata[metaOwner], e.Metadata[metaPart]
	switch {
	case part != r.j.Part && sameBatch(part, r.j.Part):
		return false, errTaken
	case owner == r.j.Owner, r.j.Overwrite, sameBatch(part, r.j.Part): // this owner's, or an earlier attempt's
		o.match = aws.ToString(e.ETag)
		return false, nil
	}
	whose := "which this project did not write"
	if owner != "" {
		whose = "written by " + owner
	}
	return false, &Error{Op: "write " + o.key, Kind: KindConflict,
		Reason: fmt.Sprintf("the key holds an object (%d bytes) %s", aws.ToInt64(e.ContentLength), whose)}
}

// publish makes an object appear by send, under its condition. When somebody was faster, or an answer was lost, what is
// there decides.
func (r *run) publish(ctx context.Context, o *object, send func(context.Context) error) error {
	for n := 0; ; n++ {
		err := send(ctx)
		if err == nil {
			return nil
		}
		gone := bucket.ErrorCode(err) == "NoSuchUpload"
		if !isAnother(err) && !gone {
			return storageError("write "+o.key, err)
		}
		e, headErr := r.head(ctx, o.key)
		if headErr != nil {
			return headErr
		}
		if done, err := r.claim(e, o); done || err != nil {
			return err
		}
		if n == 3 || gone {
			return storageError("write "+o.key, err)
		}
	}
}

// checkCRC compares S3's checksum of what arrived with that of what was sent.
func checkCRC(key string, got *string, crc uint32) error {
	if want := checksum.Text(crc); aws.ToString(got) != want {
		return &Error{Op: "write " + key, Kind: KindStorageUnavailable,
			Reason: fmt.Sprintf("S3 has another checksum (%.40s) than what was sent (%s)", aws.ToString(got), want)}
	}
	return nil
}

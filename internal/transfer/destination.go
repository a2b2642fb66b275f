package transfer

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// existing is the object that the key holds now.
type existing struct {
	etag, owner, source string
	size                int64
	crc                 string
	crcType             types.ChecksumType
}

// condition is what must hold at the instant in which the object appears. At most one field is set.
type condition struct {
	none  bool   // there is no object
	match string // the object is still the one with this ETag
}

// head looks at the key; nil when there is no object.
func (r *run) head(ctx context.Context) (*existing, error) {
	return attempt(ctx, r.budget, "look at destination", func(ctx context.Context) (*existing, error) {
		out, err := r.t.s3.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &r.o.Bucket, Key: &r.o.Key, ExpectedBucketOwner: r.o.expectedOwner(),
			ChecksumMode: types.ChecksumModeEnabled,
		}, once)
		if errorStatus(err) == 404 || isCode(err, "NotFound", "NoSuchKey") {
			return nil, nil
		}
		if errorStatus(err) == 400 { // an answer to HEAD has no body: this may be a throttle as well as a refusal for good
			e := storageError("look at destination", err)
			e.temporary = true
			return nil, e
		}
		if err != nil {
			return nil, err
		}
		return &existing{
			etag: aws.ToString(out.ETag), owner: out.Metadata[metaOwner], source: out.Metadata[metaSource],
			size: aws.ToInt64(out.ContentLength), crc: aws.ToString(out.ChecksumCRC64NVME), crcType: out.ChecksumType,
		}, nil
	})
}

// decide says under which condition the key may be written.
func (r *run) decide(e *existing) (condition, error) {
	switch {
	case r.o.Overwrite:
		return condition{}, nil
	case e == nil:
		return condition{none: true}, nil
	case e.owner == r.o.Owner:
		return condition{match: e.etag}, nil
	}
	whose := "which this project did not write"
	if e.owner != "" {
		whose = "written by " + e.owner
	}
	return condition{}, &Error{Op: "look at destination", Kind: KindConflict,
		Reason: fmt.Sprintf("the key holds an object (%d bytes) %s", e.size, whose)}
}

// isRepeat tells whether the object is this very transfer's result already.
func (r *run) isRepeat(e *existing, ident identity) bool {
	return e != nil && e.owner == r.o.Owner && ident.strong() && e.source == ident.String() && e.size == ident.Size &&
		e.crc != "" && e.crcType == types.ChecksumTypeFullObject
}

// content is what the object must be.
type content struct {
	size int64
	crc  uint64
}

// isOurs tells whether the object is this owner's, of this source, with these bytes. S3's own checksum decides.
func (r *run) isOurs(e *existing, want content) bool {
	return e != nil && e.owner == r.o.Owner && e.source == r.src.ident.String() &&
		e.size == want.size && e.crc == crcText(want.crc)
}

// publish makes the object appear: send is PutObject or CompleteMultipartUpload. Whatever it answers, what HeadObject
// shows afterwards decides, so that an answer that was lost, or came from a repeat, is not taken for the truth.
func (r *run) publish(ctx context.Context, want content, cond condition, send func(context.Context, condition) error) (*existing, error) {
	for n := 0; ; n++ {
		sendErr := send(ctx, cond)
		now, err := r.head(ctx)
		if err != nil {
			return nil, err
		}
		if r.isOurs(now, want) {
			return now, nil
		}
		e := storageError("publish object", sendErr)
		switch {
		case sendErr == nil:
			// S3 said yes and shows something else: it is still at it, or somebody has replaced the object since.
			e = &Error{Op: "publish object", Kind: KindStorageUnavailable, temporary: true,
				Reason: "S3 shows another object than the one that it has accepted"}
		case errorStatus(sendErr) == 412 || isCode(sendErr, "PreconditionFailed", "NoSuchKey"):
			if cond, err = r.decide(now); err != nil {
				return nil, err
			}
			e.Kind, e.temporary = KindStorageUnavailable, true
		case isCode(sendErr, "NoSuchUpload"):
			return nil, &Error{Op: "publish object", Kind: KindStorageUnavailable, Reason: "the upload is gone"}
		}
		if err := r.budget.wait(ctx, e, n); err != nil {
			return nil, err
		}
	}
}

// attempt makes a call of S3 until it answers for good.
func attempt[T any](ctx context.Context, b *budget, op string, call func(context.Context) (T, error)) (T, error) {
	for n := 0; ; n++ {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		v, err := call(limited)
		cancel()
		if err == nil {
			return v, nil
		}
		e := storageError(op, inTime(ctx, op, err))
		if err := b.wait(ctx, e, n); err != nil {
			return v, err
		}
	}
}

package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// condition is what must hold at the instant in which the object appears. At most one field is set.
type condition struct {
	none  bool   // there is no object
	match string // the object is still the one with this ETag
}

func (c condition) headers() (ifNoneMatch, ifMatch *string) {
	if c.none {
		return aws.String("*"), nil
	}
	if c.match != "" {
		return nil, &c.match
	}
	return nil, nil
}

// decide says under which condition the key may be written.
func (s *store) decide(e *existing) (condition, error) {
	switch {
	case s.o.Overwrite:
		return condition{}, nil
	case e == nil:
		return condition{none: true}, nil
	case e.owner == s.o.Owner:
		return condition{match: e.etag}, nil
	}
	whose := "which this project did not write"
	if e.owner != "" {
		whose = "written by " + e.owner
	}
	return condition{}, &Error{Op: "look at destination", Kind: KindConflict,
		Reason: fmt.Sprintf("the key holds an object (%d bytes) %s", e.size, whose)}
}

// publish has the object written by send: PutObject or CompleteMultipartUpload. Whatever it answers, what HeadObject
// shows afterwards decides, so that an answer that was lost, or came from a repeat, is not taken for the truth.
func (r *run) publish(ctx context.Context, want content, cond condition, send func(context.Context, condition) error) (*existing, error) {
	for n := 0; ; n++ {
		sendErr := send(ctx, cond)
		now, err := r.store.head(ctx)
		if err != nil {
			return nil, err
		}
		if now.is(r.store.o.Owner, want) {
			return now, nil
		}
		e := storageError("publish object", sendErr)
		switch {
		case sendErr == nil:
			// S3 said yes and shows something else: it is still at it, or somebody has replaced the object since.
			e = &Error{Op: "publish object", Kind: KindStorageUnavailable, Temporary: true,
				Reason: "S3 shows another object than the one that it has accepted"}
		case bucket.IsChanged(sendErr), bucket.IsMissing(sendErr):
			if cond, err = r.store.decide(now); err != nil {
				return nil, err
			}
			e.Kind, e.Temporary = KindStorageUnavailable, true
		case e.Gone:
			return nil, &Error{Op: "publish object", Kind: KindStorageUnavailable, Reason: "the upload is gone", Gone: true}
		}
		if err := r.store.budget.Wait(ctx, e, n); err != nil {
			return nil, err
		}
	}
}

// complete makes the object of an upload whose parts are all in S3.
func (r *run) complete(ctx context.Context, u *upload, cond condition) (*existing, error) {
	want := u.checksum()
	return r.publish(ctx, want, cond, func(ctx context.Context, c condition) error {
		err := r.store.complete(ctx, u, want, c)
		if isCode(err, "InvalidPart") { // another process of this owner has sent a part again, with another ETag
			return r.refreshParts(ctx, u, err)
		}
		return err
	})
}

// refreshParts takes the parts' present ETags, if their bytes are still those that were sent.
func (r *run) refreshParts(ctx context.Context, u *upload, cause error) error {
	listed, _, err := r.store.listParts(ctx, u.id, 0)
	if err != nil {
		return err
	}
	for i := range u.parts {
		now, was := listed[i+1], &u.parts[i]
		if now.crc != was.crc || now.size != was.size || !now.done {
			return cause
		}
		was.etag = now.etag
	}
	return &Error{Op: "complete upload", Kind: KindStorageUnavailable, Reason: "parts were sent twice", Temporary: true}
}

// sweep aborts what is left of this owner's uploads when the object is done: those of a second process of this owner, of an
// earlier Run whose source was another, and the one that was in use, which a late part of a second process may have
// brought back without its labels.
func (r *run) sweep(ctx context.Context) {
	err := r.uploads.abortOwn(ctx)
	if r.uploads.inUse != "" {
		err = errors.Join(err, r.store.abort(ctx, r.uploads.inUse))
	}
	if err != nil {
		r.store.log.Warn("uploads left", "key", r.store.o.Key, "error", err)
	}
}

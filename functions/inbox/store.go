package main

import (
	"context"
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// errGone says that an object is no longer there, or has been replaced by another, which has an event of its own.
var errGone = errors.New("the object is gone or was replaced")

// open reads the very object that an event is about. The caller closes it.
func (in *inbox) open(ctx context.Context, o object) (*bucket.Object, error) {
	options := bucket.GetOptions{VersionID: o.version}
	if o.version == "" {
		options.ETag = o.etag
	}
	content, err := in.bucket.Get(ctx, o.key, options)
	if bucket.IsMissing(err) || bucket.IsChanged(err) {
		return nil, errGone
	}
	return content, asTransient(err)
}

// asTransient marks an error that another delivery of the same event may not have.
func asTransient(err error) error {
	if archive.NameOf(err) == archive.DestinationUnavailable {
		return transient{err}
	}
	return err
}

// transient is an error that another delivery of the same event may not have.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

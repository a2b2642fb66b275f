package sync

import (
	"bytes"
	"context"
	"errors"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// maxSmall bounds the files that are read whole, in bytes: 10,000 notes, or a file of hashes, take a few MB.
const maxSmall = 16 << 20

const contentJSON = "application/json"

// A file is a small object that was read.
type file struct {
	bucket.Info
	body []byte
}

// read reads a small object; nil if there is none.
func (e Engine) read(ctx context.Context, key string) (*file, error) {
	body, info, err := e.Bucket.Read(ctx, key, maxSmall, bucket.GetOptions{})
	switch {
	case bucket.IsMissing(err):
		return nil, nil
	case errors.Is(err, bucket.ErrTooLarge):
		return nil, invalid("%v", err)
	case err != nil:
		return nil, err
	}
	return &file{info, body}, nil
}

// open reads an object that must be there as a stream.
func (e Engine) open(ctx context.Context, key string) (*bucket.Object, error) {
	o, err := e.Bucket.Get(ctx, key, bucket.GetOptions{})
	if bucket.IsMissing(err) {
		return nil, archive.NewError(archive.Internal, err, "%q is gone", key)
	}
	return o, err
}

func (e Engine) put(ctx context.Context, key string, body []byte) error {
	_, err := e.Bucket.Put(ctx, key, body, bucket.PutOptions{ContentType: contentJSON})
	return err
}

// replace writes on a condition. A write whose answer was lost and that was repeated meets itself: that is no change.
func (e Engine) replace(ctx context.Context, key string, body []byte, o bucket.PutOptions) (etag string, err error) {
	o.ContentType = contentJSON
	etag, err = e.Bucket.Put(ctx, key, body, o)
	if !changed(err) {
		return etag, err
	}
	there, readErr := e.read(ctx, key)
	if readErr != nil {
		return "", readErr
	}
	if there != nil && bytes.Equal(there.body, body) {
		return there.ETag, nil
	}
	return "", err
}

// changed says that a condition of a write did not hold: another object is there, or none to be replaced.
func changed(err error) bool { return bucket.IsChanged(err) || bucket.IsMissing(err) }

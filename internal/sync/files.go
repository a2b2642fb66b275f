package sync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
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

// lines reads a JSON Lines file of the sync's own, or of its batch's. An error is the last that comes.
func lines[T any](ctx context.Context, e Engine, key string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		b, err := e.open(ctx, key)
		if err != nil {
			yield(*new(T), err)
			return
		}
		defer b.Close()
		for decoder := json.NewDecoder(b); err == nil; {
			var line T
			err = decoder.Decode(&line)
			if err == io.EOF {
				return
			}
			if err != nil && archive.NameOf(err) == "" {
				err = archive.NewError(archive.Internal, err, "%q is not what it should be: %v", key, err)
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

// eachOf does a piece of work for each item of a sequence, for several at once, and holds so many of them at most.
func eachOf[T any](ctx context.Context, all iter.Seq2[T, error], most int, work func(context.Context, T) error) error {
	var window []T
	flush := func() error {
		err := batch.Each(ctx, len(window), func(ctx context.Context, i int) error { return work(ctx, window[i]) })
		window = window[:0]
		return err
	}
	for item, err := range all {
		if err == nil {
			window = append(window, item)
		}
		if err == nil && len(window) == most {
			err = flush()
		}
		if err != nil {
			return err
		}
	}
	return flush()
}

// remove deletes what is below a prefix.
func (e Engine) remove(ctx context.Context, prefix string) error {
	return eachOf(ctx, e.Bucket.List(ctx, prefix, ""), 1000, func(ctx context.Context, o bucket.Entry) error {
		return e.Bucket.Delete(ctx, o.Key, "")
	})
}

package batch

import (
	"context"
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// Storage is the bucket with a batch's lists, plans, archives and manifests.
type Storage struct{ bucket.Bucket }

func (s Storage) readJSON(ctx context.Context, key string, v any) error {
	b, err := s.Get(ctx, key, bucket.GetOptions{})
	if err != nil {
		return err
	}
	defer b.Close()
	return unreadable(key, json.NewDecoder(b).Decode(v))
}

// unreadable keeps S3's named errors and names the others.
func unreadable(key string, err error) error {
	if err == nil || archive.NameOf(err) != "" {
		return err
	}
	return archive.NewError(archive.Internal, err, "%q is not what it should be: %v", key, err)
}

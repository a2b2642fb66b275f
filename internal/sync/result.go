package sync

import (
	"context"
	"encoding/json"
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// results is what a batch has done: the files that are in the bucket, and the assets of the archives that are missing.
type results struct {
	files  map[string]content // by asset
	failed map[string]*missing
}

// content is a line of what unpacking lists.
type content struct {
	Name        string `json:"name"` // in the archive
	Key         string `json:"key"`
	Size        int64  `json:"size"`
	ContentType string `json:"contentType"`
	CRC32       string `json:"crc32"`
}

// missing is why an archive is not there.
type missing struct{ Error, Cause string }

// manifest is what is read of a batch's manifest.
type manifest struct {
	Archives []struct {
		Key      string
		Unpacked *struct{ Contents string }
	}
	Failed []struct {
		missing
		AssetIDs []string `json:"assetIds"`
	}
}

// readResults reads a batch's manifest, and of each archive what it held; nil if there is no manifest.
func (e Engine) readResults(ctx context.Context, c Chunk) (*results, error) {
	key := c.archives() + "manifest.json"
	o, err := e.read(ctx, key)
	if err != nil || o == nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(o.body, &m); err != nil {
		return nil, archive.NewError(archive.Internal, err, "%q is not what it should be: %v", key, err)
	}
	r := &results{files: map[string]content{}, failed: map[string]*missing{}}
	for _, a := range m.Archives {
		if a.Unpacked == nil {
			return nil, archive.NewError(archive.Internal, nil, "%q says that %q is not unpacked", key, a.Key)
		}
		if err := e.readContents(ctx, a.Unpacked.Contents, r.files); err != nil {
			return nil, err
		}
	}
	for i := range m.Failed {
		for _, id := range m.Failed[i].AssetIDs {
			r.failed[id] = &m.Failed[i].missing
		}
	}
	return r, nil
}

// readContents adds the first file of each asset. (An asset of several files has the others beside it.)
func (e Engine) readContents(ctx context.Context, key string, files map[string]content) error {
	for c, err := range lines[content](ctx, e, key) {
		if err != nil {
			return err
		}
		base := path.Base(c.Name)
		id := strings.TrimSuffix(base, path.Ext(base)) // the template says so
		if _, again := files[id]; !again {
			files[id] = c
		}
	}
	return nil
}

// Package batch is what the batch state machine's functions do: they plan which archive gets which assets of a list of
// any length, and write the manifest with the result of each.
//
// A batch keeps its own files under WorkPrefix in the bucket: the list as it was understood, the items that Step
// Functions' Distributed Map reads, what the map writes, and the record of the plan. They serve the execution and can
// be deleted when it can no longer be redriven (14 days).
package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

const (
	// WorkPrefix is where batches keep their own files.
	WorkPrefix = archive.BatchesPrefix
	// listsPrefix is where lists are put that came in a request. No batch's own files are there: their prefixes end with a
	// digest.
	listsPrefix = WorkPrefix + "lists/"
	// claimsPrefix is where names are taken. The bucket forgets them with the other files of batches.
	claimsPrefix = WorkPrefix + "keys/"

	maxPurpose = 1 << 10 // bytes
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

// PutList writes a list that came in a request, duplicates and all, one ID a line. Its key is made of the content: the same
// list under the same name is always the same object. name becomes that of the batch's archives; a path's last part
// counts, without its end.
func (s Storage) PutList(ctx context.Context, name string, ids []string) (List, error) {
	var text []byte
	for _, id := range ids {
		text = append(append(text, id...), '\n')
	}
	sum := sha256.Sum256(text)
	name = plainName(strings.TrimSuffix(path.Base(name), path.Ext(name)))
	l := List{Key: listsPrefix + hex.EncodeToString(sum[:16]) + "/" + name + ".txt", Format: FormatText}
	_, err := s.Put(ctx, l.Key, text, bucket.PutOptions{ContentType: "text/plain"})
	return l, err
}

// Claim gives a name to the first of those who ask for it, and returns what that one said it is for. name is of letters,
// digits, '-' and '_'.
func (s Storage) Claim(ctx context.Context, name, purpose string) (string, error) {
	key := claimsPrefix + name
	_, err := s.Put(ctx, key, []byte(purpose), bucket.PutOptions{ContentType: "text/plain", IfMissing: true})
	if err == nil {
		return purpose, nil
	}
	if !bucket.IsChanged(err) {
		return "", err
	}
	taken, _, err := s.Read(ctx, key, maxPurpose, bucket.GetOptions{})
	return string(taken), err
}

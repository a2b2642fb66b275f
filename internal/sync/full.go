package sync

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// hashesAtOnce is how many IDs a full run holds before it writes them, eight bytes each.
const hashesAtOnce = 1 << 13

// hashOf stands for an ID that a full run's lists showed. Eight bytes are enough: two of a million IDs have the same with a
// chance of 3 in 10^8, and the worst of it is that an asset that is gone is not named.
func hashOf(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

func digestsKey(name, run string, i int) string {
	return fmt.Sprintf("%slisted-%05d", workPrefix(name, run), i)
}

// writeHashes puts what there is into a file of the run, when it is enough or the last.
func (p *planning) writeHashes(ctx context.Context, last bool) error {
	if len(p.hashes) == 0 || len(p.hashes) < hashesAtOnce && !last {
		return nil
	}
	body := make([]byte, 0, 8*len(p.hashes))
	for _, sum := range p.hashes {
		body = binary.BigEndian.AppendUint64(body, sum)
	}
	if _, err := p.Bucket.Put(ctx, digestsKey(p.Name, p.Run.ID, p.Run.Digests), body, bucket.PutOptions{}); err != nil {
		return err
	}
	p.Run.Digests++
	p.hashes = p.hashes[:0]
	return nil
}

// readHashes gives all IDs that the run's lists showed, in order.
func (r *run) readHashes(ctx context.Context) ([]uint64, error) {
	all := make([]uint64, 0, r.Run.Digests*(hashesAtOnce+windowAssets))
	for i := range r.Run.Digests {
		o, err := r.read(ctx, digestsKey(r.Name, r.Run.ID, i))
		if err != nil {
			return nil, err
		}
		if o == nil {
			return nil, archive.NewError(archive.Internal, nil, "%q is gone", digestsKey(r.Name, r.Run.ID, i))
		}
		for body := o.body; len(body) >= 8; body = body[8:] {
			all = append(all, binary.BigEndian.Uint64(body))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// writeGone writes <prefix>gone.jsonl: what is in the bucket and was not listed. Nothing is deleted. The records say what is
// in the bucket.
func (r *run) writeGone(ctx context.Context) error {
	listed, err := r.readHashes(ctx)
	if err != nil {
		return err
	}
	out := r.Bucket.Upload(ctx, r.definition.Destination.Prefix+"gone.jsonl", "application/jsonl", nil)
	defer out.Abort()
	w := bufio.NewWriter(out)
	prefix := r.definition.records()
	r.Counts.Gone = 0
	for o, err := range r.Bucket.List(ctx, prefix, "") {
		if err != nil {
			return err
		}
		id := strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), suffix)
		if _, there := slices.BinarySearch(listed, hashOf(id)); there {
			continue
		}
		if err := r.gone(ctx, w, o.Key, id); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return out.Close()
}

func (r *run) gone(ctx context.Context, w io.Writer, key, id string) error {
	o, err := r.read(ctx, key)
	if err != nil || o == nil {
		return err
	}
	var kept record
	if err := json.Unmarshal(o.body, &kept); err != nil {
		return nil // no record of a sync's
	}
	r.Counts.Gone++
	line, err := json.Marshal(map[string]any{"assetId": id, "key": kept.Key, "size": kept.Size, "syncedAt": kept.SyncedAt})
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}

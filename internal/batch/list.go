package batch

import (
	"bufio"
	"crypto/sha256"
	"iter"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

func (w *planning) listKey() string { return w.work + "assets.txt" }

// readList writes the list as it was understood: each ID once, one a line. Everything after reads that.
func (w *planning) readList() error {
	out := w.Upload(w.ctx, w.listKey(), "text/plain", nil)
	defer out.Abort()
	lines := bufio.NewWriterSize(out, 64<<10)
	d := newDigester(w.in.Request)
	seen := map[[16]byte]struct{}{}
	for id, err := range w.ids() {
		if err != nil {
			return err
		}
		if !w.add(seen, id) {
			continue
		}
		if w.assets > MaxAssets {
			return invalid("the list has more than %d assets; divide it", MaxAssets)
		}
		d.add(id)
		_, _ = lines.WriteString(id)
		if err := lines.WriteByte('\n'); err != nil {
			return err
		}
	}
	if w.assets == 0 {
		return invalid("the list is empty: it names no asset")
	}
	w.identity = d.sum()
	if err := lines.Flush(); err != nil {
		return err
	}
	return out.Close()
}

// add counts an ID, and says whether it is new. 128 bits of SHA-256 stand for it: no two IDs that anybody can find
// have the same.
func (w *planning) add(seen map[[16]byte]struct{}, id string) bool {
	sum := sha256.Sum256([]byte(id))
	short := [16]byte(sum[:16])
	if _, ok := seen[short]; ok {
		w.duplicates++
		return false
	}
	seen[short] = struct{}{}
	w.assets++
	w.longest = max(w.longest, len(id))
	return true
}

// ids gives the list's IDs from wherever it is.
func (w *planning) ids() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range w.in.AssetIDs {
			if !yield(id, nil) {
				return
			}
		}
		if w.in.List == nil {
			return
		}
		format, err := w.in.List.format()
		if err != nil {
			yield("", err)
			return
		}
		b, err := w.openList()
		if err != nil {
			yield("", err)
			return
		}
		defer b.Close()
		tooLong := invalid("the list is longer than %d bytes; divide it", int64(maxListBytes))
		list := NewReader(&Limit{R: b, Left: maxListBytes + 1, Full: tooLong}, format)
		list.IDs()(yield)
		w.lines = list.Lines()
	}
}

// openList distinguishes a list that is not there from a bucket that does not answer.
func (w *planning) openList() (*bucket.Object, error) {
	l := w.in.List
	b, err := w.Get(w.ctx, l.Key, bucket.GetOptions{VersionID: l.VersionID, ETag: l.ETag})
	switch {
	case bucket.IsMissing(err):
		return nil, invalid("there is no list %q in the bucket %q; check list.key and list.versionId",
			archive.Abbreviate(l.Key), w.Name)
	case bucket.IsChanged(err):
		return nil, invalid("the list %q was replaced after this batch was asked for; start a batch of the new one",
			archive.Abbreviate(l.Key))
	}
	return b, err
}

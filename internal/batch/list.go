package batch

import (
	"bufio"
	"crypto/sha256"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

func (w *planning) listKey() string { return w.work + "assets.txt" }

// readList writes the list as it was understood: each ID once, one a line. Everything after reads that.
func (w *planning) readList() error {
	next, closeList, err := w.ids()
	if err != nil {
		return err
	}
	defer closeList()
	out := w.Upload(w.ctx, w.listKey(), "text/plain", nil)
	defer out.Abort()
	lines := bufio.NewWriterSize(out, 64<<10)
	d := newDigester(w.in.Request)
	seen := map[[16]byte]struct{}{}
	for {
		id, err := next()
		if err == io.EOF {
			break
		}
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
func (w *planning) ids() (next func() (string, error), closeList func(), err error) {
	if w.in.List == nil {
		i := -1
		return func() (string, error) {
			if i++; i == len(w.in.AssetIDs) {
				return "", io.EOF
			}
			return w.in.AssetIDs[i], nil
		}, func() {}, nil
	}
	format, err := w.in.List.format()
	if err != nil {
		return nil, nil, err
	}
	b, err := w.Get(w.ctx, w.in.List.Key, bucket.GetOptions{VersionID: w.in.List.VersionID, ETag: w.in.List.ETag})
	if err != nil {
		return nil, nil, w.noList(err)
	}
	limited := &limitedList{r: b, left: maxListBytes}
	list := NewReader(limited, format)
	return list.Next, func() { w.lines = list.Lines(); _ = b.Close() }, nil
}

type limitedList struct {
	r    io.Reader
	left int64
}

func (l *limitedList) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, invalid("the list is longer than %d bytes; divide it", int64(maxListBytes))
	}
	return n, err
}

// noList distinguishes a list that is not there from a bucket that does not answer.
func (w *planning) noList(err error) error {
	if bucket.IsMissing(err) {
		return invalid("there is no list %q in the bucket %q; check list.key and list.versionId",
			archive.Abbreviate(w.in.List.Key), w.Name)
	}
	if bucket.IsChanged(err) {
		return invalid("the list %q was replaced after this batch was asked for; start a batch of the new one",
			archive.Abbreviate(w.in.List.Key))
	}
	return err
}

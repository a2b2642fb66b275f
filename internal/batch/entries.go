package batch

import (
	"archive/zip"
	"context"
	"errors"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// countEntries reads how many files the archives hold that an earlier run left: S3 does not know.
func (s Storage) countEntries(ctx context.Context, outputs []*archive.Output) error {
	return Each(ctx, len(outputs), func(ctx context.Context, i int) (err error) {
		outputs[i].Entries, err = s.entries(ctx, *outputs[i])
		return err
	})
}

func (w *planning) countEntries() error {
	return w.Storage.countEntries(w.ctx, finishedOf(w.outcomes))
}

// finishedOf are the outputs that lack their number of entries.
func finishedOf(outcomes []outcome) (outputs []*archive.Output) {
	for _, o := range outcomes {
		if o.Finished != nil && o.Finished.Entries < 0 {
			outputs = append(outputs, o.Finished)
		}
	}
	return outputs
}

func (s Storage) entries(ctx context.Context, o archive.Output) (int64, error) {
	z, err := zip.NewReader(&objectReader{Storage: s, ctx: ctx, o: o}, o.Size)
	switch {
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, zip.ErrChecksum):
		return 0, archive.NewError(archive.DestinationConflict, err, "%q is there already and is no ZIP archive; "+
			"delete it, or choose another place", o.Key)
	case err != nil:
		return 0, err
	}
	return int64(len(z.File)), nil
}

// objectReader reads an object as zip.NewReader does, from its end and then forward, in a few large requests.
type objectReader struct {
	Storage
	ctx    context.Context
	o      archive.Output
	window []byte
	start  int64 // of the window in the object
}

// windowSize holds the directory of 1000 files.
const windowSize = 256 << 10

// ReadAt reads from the window, and moves it where it has to.
func (r *objectReader) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off < r.o.Size {
		if off < r.start || off >= r.start+int64(len(r.window)) {
			if err := r.load(off); err != nil {
				return n, err
			}
		}
		c := copy(p[n:], r.window[off-r.start:])
		n, off = n+c, off+int64(c)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// load fills the window with what is at off. Near the object's end it takes what comes before, too.
func (r *objectReader) load(off int64) error {
	start := max(0, min(off, r.o.Size-windowSize))
	end := min(r.o.Size, start+windowSize)
	out, err := r.Get(r.ctx, r.o.Key, bucket.GetOptions{ETag: r.o.ETag, From: start, To: end})
	if err != nil {
		return err
	}
	defer out.Close()
	r.window = make([]byte, end-start)
	if _, err := io.ReadFull(out, r.window); err != nil {
		r.window = nil
		return unreadable(r.o.Key, err)
	}
	r.start = start
	return nil
}

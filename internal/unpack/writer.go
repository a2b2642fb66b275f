package unpack

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// writer writes an object as it comes: at once when it fits into one part, as a multipart upload otherwise.
//
// When it resumes an upload, all of the content comes again: an inflater begins with the first byte. So a run costs the
// reading of what is there, and the rest of its time is progress: of 15 minutes, four at most for 20 GiB at S3's 85 MB/s a
// connection (bench/RESULTS.md). checkpoint ends what takes longer than a run only to be read.
type writer struct {
	upload
	slab []byte // the part that is being filled; nil: none yet

	sending sync.WaitGroup
	err     error // of a part; under mu
}

func (r *run) newWriter(ctx context.Context, o object) *writer {
	part := (max(o.size, slabSize*maxDataParts)/maxDataParts + mib - 1) / mib * mib
	return &writer{upload: upload{r: r, ctx: ctx, o: o, partSize: max(part, slabSize)}}
}

// Write takes p; an error of a part that is on its way comes with a later call.
func (w *writer) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if err := w.failure(); err != nil {
			return 0, err
		}
		if w.slab == nil {
			slab, err := w.r.slab(w.ctx, w.partSize)
			if err != nil {
				return 0, err
			}
			w.slab = slab[:0]
		}
		n := min(len(p), int(w.partSize)-len(w.slab))
		w.slab = append(w.slab, p[:n]...)
		if p = p[n:]; len(p) > 0 && len(w.slab) == int(w.partSize) {
			if err := w.send(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

// send starts the upload of the part that is full.
func (w *writer) send() error {
	if w.id == "" {
		if err := w.open(); err != nil {
			return err
		}
	}
	slab := w.slab
	w.slab = nil
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{PartNumber: aws.Int32(int32(len(w.parts) + 1))})
	number := len(w.parts)
	w.mu.Unlock()
	w.sending.Go(func() {
		defer w.r.release(slab)
		part, err := w.sendPart(w.ctx, int32(number), slab)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil && w.err == nil {
			w.err = err
		}
		w.parts[number-1] = part
	})
	return nil
}

func (w *writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// finish makes the object appear. Its CRC-32 is known by now.
func (w *writer) finish() error {
	if w.id == "" {
		return w.r.put(w.ctx, &w.o, w.slab)
	}
	if len(w.slab) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	w.sending.Wait()
	if err := w.failure(); err != nil {
		return err
	}
	return w.r.publish(w.ctx, &w.o, w.complete)
}

// close frees the buffers. An upload that was not finished stays for the next run, or for the sweep after an error.
func (w *writer) close() {
	w.sending.Wait()
	if w.slab != nil {
		w.r.release(w.slab)
		w.slab = nil
	}
}

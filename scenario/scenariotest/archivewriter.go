package scenariotest

import (
	"io"
	"net/http"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest/internal/virtualzip"
)

// tick is how often a bounded response sends.
const tick = 10 * time.Millisecond

// archiveWriter sends an archive's bytes to the client: from where they lie, without copying, at a bounded pace and with
// the faults that are met on the way.
type archiveWriter struct {
	http.ResponseWriter
	h *Handler
	r *http.Request

	content   *virtualzip.Content
	bandwidth int64 // bytes per second; 0: no bound
	atOffset  []*countedFault

	offset int64 // of the archive, of the next byte
	end    int64 // behind the last byte of the archive that this response has; 0 while it has none of it
	sent   int64
	began  time.Time // of the first byte
}

// ReadFrom is what io.CopyN in http.ServeContent calls, with the part of the archive that was asked for.
func (w *archiveWriter) ReadFrom(r io.Reader) (int64, error) {
	limited := r.(*io.LimitedReader)
	offset, err := limited.R.(io.Seeker).Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	w.offset, w.end = offset, offset+limited.N
	return w.content.WriteRange(w, offset, limited.N)
}

// Write sends one piece of the archive, or of an error's text.
func (w *archiveWriter) Write(p []byte) (int, error) {
	if w.began.IsZero() {
		w.began = time.Now()
	}
	done := 0
	for done < len(p) {
		part := p[done:w.upTo(p, done)]
		n, err := w.ResponseWriter.Write(part)
		done += n
		w.sent += int64(n)
		w.offset += int64(n)
		if err != nil {
			return done, err
		}
		w.rest()
		w.meetFaults()
	}
	return done, nil
}

// upTo is the end of what can be sent of p at once: up to the next fault, and no more than a tick's worth.
func (w *archiveWriter) upTo(p []byte, done int) int {
	n := int64(len(p) - done)
	for _, f := range w.atOffset {
		if distance := f.offset() - w.offset; distance > 0 {
			n = min(n, distance)
		}
	}
	if w.bandwidth > 0 {
		n = min(n, max(1, w.bandwidth*int64(tick)/int64(time.Second)))
	}
	return done + int(n)
}

// rest keeps to the bandwidth: it waits until the time by which it allows the bytes sent so far. A wait that took too
// long so shortens the next one. (Real time: Options.Now may stand still.)
func (w *archiveWriter) rest() {
	if w.bandwidth > 0 {
		w.flush()
		due := w.began.Add(time.Duration(float64(w.sent) / float64(w.bandwidth) * float64(time.Second)))
		w.h.pause(w.r, time.Until(due))
	}
}

// meetFaults cuts or stalls, when the offset for it is reached.
func (w *archiveWriter) meetFaults() {
	for _, f := range w.atOffset {
		if w.offset != f.offset() || w.offset >= w.end || !w.h.faults.reached(f) {
			continue
		}
		w.flush()
		if f.StallAt != 0 {
			select {
			case <-w.r.Context().Done():
			case <-w.h.closed:
			}
		}
		panic(http.ErrAbortHandler)
	}
}

func (w *archiveWriter) flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

package scenariotest

import (
	"io"
	"net/http"
	"time"
)

// tick is how often a bounded response sends.
const tick = 10 * time.Millisecond

// archiveWriter sends an archive's bytes to the client: from where they lie, without copying, at a bounded pace and with
// the faults that are met on the way.
type archiveWriter struct {
	http.ResponseWriter
	h *Handler
	r *http.Request

	bandwidth int64 // bytes per second; 0: no bound
	atOffset  []*countedFault

	status int
	offset int64 // of the archive, of the next byte
	sent   int64
}

func (w *archiveWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// ReadFrom is what io.CopyN in http.ServeContent calls, with a limited archiveReader.
func (w *archiveWriter) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		return io.Copy(w.ResponseWriter, r)
	}
	source, ok := limited.R.(*archiveReader)
	if !ok {
		return io.Copy(w.ResponseWriter, r)
	}
	w.offset = source.offset
	before := w.sent
	_, err := source.content.WriteRange(w, source.offset, limited.N)
	return w.sent - before, err
}

// Write sends one piece of the archive, or of an error's text.
func (w *archiveWriter) Write(p []byte) (int, error) {
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
		w.rest(n)
		w.meetFaults()
	}
	return done, nil
}

// upTo is the end of what can be sent of p at once: up to the next fault, and no more than a tick's worth.
func (w *archiveWriter) upTo(p []byte, done int) int {
	n := int64(len(p) - done)
	for _, f := range w.atOffset {
		if distance := max(f.CutAt, f.StallAt) - w.offset; distance > 0 {
			n = min(n, distance)
		}
	}
	if w.bandwidth > 0 {
		n = min(n, max(1, w.bandwidth*int64(tick)/int64(time.Second)))
	}
	return done + int(n)
}

// rest keeps to the bandwidth, after a part of n bytes.
func (w *archiveWriter) rest(n int) {
	if w.bandwidth > 0 {
		w.flush()
		w.h.pause(w.r, time.Duration(n)*time.Second/time.Duration(w.bandwidth))
	}
}

// meetFaults cuts or stalls, when the offset for it is reached.
func (w *archiveWriter) meetFaults() {
	for _, f := range w.atOffset {
		if w.offset != max(f.CutAt, f.StallAt) || !w.h.faults.reached(f) {
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

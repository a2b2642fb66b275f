package transfer

import (
	"bytes"
	"io"
)

// tailBuffer keeps the last keptTail bytes written, and at most twice that in memory.
type tailBuffer struct{ b []byte }

func (t *tailBuffer) write(p []byte) {
	if len(p) >= int(keptTail) {
		t.b = append(t.b[:0], p[len(p)-int(keptTail):]...)
		return
	}
	if len(t.b)+len(p) > 2*int(keptTail) {
		t.b = append(t.b[:0], t.b[len(t.b)-int(keptTail):]...)
	}
	t.b = append(t.b, p...)
}

// at is a range of an archive of size bytes, if it is still here.
func (t *tailBuffer) at(off, n, size int64) (io.ReadCloser, bool) {
	start := off - (size - int64(len(t.b)))
	if start < 0 || start+n > int64(len(t.b)) {
		return nil, false
	}
	return io.NopCloser(bytes.NewReader(t.b[start : start+n])), true
}

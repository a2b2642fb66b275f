package unpack

import (
	"slices"
	"sync"
)

// typeTable is the content types that names did not say, by entry: one byte each, once there is one.
type typeTable struct {
	mu    sync.Mutex
	codes []byte
	known []string
}

func (t *typeTable) set(index, entries int64, contentType string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.codes == nil {
		t.codes = make([]byte, entries)
	}
	code := slices.Index(t.known, contentType)
	if code < 0 && len(t.known) < 255 {
		code = len(t.known)
		t.known = append(t.known, contentType)
	}
	t.codes[index] = byte(code + 1)
}

func (t *typeTable) get(index int64) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.codes == nil || t.codes[index] == 0 {
		return "application/octet-stream"
	}
	return t.known[t.codes[index]-1]
}

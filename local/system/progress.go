package system

import (
	"encoding/json"
	"net/http"
	"sync"
)

// ProgressPath is where the front tells how far the transfer of an execution is, by the execution's name. On AWS this
// stands in the function's log alone.
const ProgressPath = "/local/progress/"

// keptTransfers bounds what is remembered of transfers, which end without a word.
const keptTransfers = 1000

// Moved is how far a transfer is, in bytes. Both are 0 when nothing is known.
type Moved struct {
	BytesDone  int64 `json:"bytesDone"`
	BytesTotal int64 `json:"bytesTotal"`
}

// progress remembers the transfers that were heard of last.
type progress struct {
	mu    sync.Mutex
	moved map[string]Moved
	names []string // in the order of their first words
}

func (p *progress) set(name string, m Moved) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moved == nil {
		p.moved = map[string]Moved{}
	}
	if _, known := p.moved[name]; !known {
		p.names = append(p.names, name)
	}
	p.moved[name] = m
	if len(p.names) > keptTransfers {
		delete(p.moved, p.names[0])
		p.names = p.names[1:]
	}
}

func (p *progress) get(name string) Moved {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved[name]
}

func (p *progress) serve(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(p.get(name)) // the caller has gone
}

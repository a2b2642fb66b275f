package system

import (
	"encoding/json"
	"net/http"
	"sync"

	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
)

// ProgressPath is where the API on this machine serves the progress of a transfer, by the execution's name. On AWS it is
// in the function's log alone.
const ProgressPath = "/local/progress/"

// keptTransfers bounds how many transfers are remembered: nothing reports that one has ended.
const keptTransfers = 1000

// Moved is the progress of a transfer, in bytes. Both are 0 when nothing is known.
type Moved struct {
	BytesDone  int64 `json:"bytesDone"`
	BytesTotal int64 `json:"bytesTotal"`
}

// Watch calls events with each event of each execution, and bytes with the progress of each transfer, until stop is
// called. There is one watcher at a time.
func (s *System) Watch(events func(stepfunctions.Update), bytes func(execution string, done, total int64)) (stop func()) {
	unsubscribe := s.StepFunctions.Subscribe(events)
	s.progress.watched(bytes)
	return func() {
		s.progress.watched(nil)
		unsubscribe()
	}
}

// progress remembers the transfers that reported last.
type progress struct {
	mu    sync.Mutex
	watch func(execution string, done, total int64)
	moved map[string]Moved
	names []string // in the order of their first reports
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
	if p.watch != nil {
		p.watch(name, m.BytesDone, m.BytesTotal)
	}
	if len(p.names) > keptTransfers {
		delete(p.moved, p.names[0])
		p.names = p.names[1:]
	}
}

// watched replaces who gets the progress of every transfer; nil for nobody.
func (p *progress) watched(by func(execution string, done, total int64)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = by
}

func (p *progress) serve(w http.ResponseWriter, name string) {
	p.mu.Lock()
	m := p.moved[name]
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(m) // the caller has gone
}

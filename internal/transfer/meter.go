package transfer

import (
	"sync/atomic"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
)

// meter counts what a Run does and reports it. All but add and load are for one goroutine.
type meter struct {
	moved    atomic.Int64 // bytes that are in S3 or on the way
	size     int64        // of the archive; -1 while unknown
	stats    Stats
	report   func(Progress)
	interval time.Duration
	reported time.Time
}

// begin notes how large the archive is, and what of it S3 has already.
func (m *meter) begin(size int64, parts, resumed int, resumedBytes int64) {
	m.size, m.stats.Parts, m.stats.Resumed, m.stats.ResumedBytes = size, parts, resumed, resumedBytes
	m.moved.Store(resumedBytes)
}

// reset is for beginning again.
func (m *meter) reset() { m.begin(-1, 0, 0, 0) }

// add counts bytes that have passed; less than none, when they have to pass again.
func (m *meter) add(n int64) { m.moved.Add(n) }

func (m *meter) load() int64 { return m.moved.Load() }

func (m *meter) peak(inFlight int) { m.stats.Peak = max(m.stats.Peak, inFlight) }

// now reports at once.
func (m *meter) now(inFlight int) {
	if m.report != nil {
		m.report(Progress{Bytes: m.moved.Load(), Size: m.size, InFlight: inFlight})
	}
}

// tick reports if the last report is long enough ago.
func (m *meter) tick(at time.Time, inFlight int) {
	if at.Sub(m.reported) >= m.interval {
		m.reported = at
		m.now(inFlight)
	}
}

func (m *meter) final(b *failure.Budget) Stats {
	m.stats.Retries = b.Retries()
	return m.stats
}

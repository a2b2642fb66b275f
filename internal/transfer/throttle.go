package transfer

import "time"

// throttle finds how many ranges should be in flight. It climbs while that brings more bytes, goes back to what was
// enough when it does not (more connections cost memory, CPU and other people's bandwidth), tries again from time to
// time, and halves when the source or S3 pushes back.
//
// It is driven by one goroutine and knows no clock: observe is called at equal intervals.
type throttle struct {
	limit, max int

	settle int     // observations to let pass: ranges just started bring nothing yet
	bytes  int64   // of the sample under way
	took   float64 // its seconds
	ticks  int

	climbed  bool    // the first climb is over: it doubles, later ones are more careful
	base     int     // the limit before the climb under way; 0: none
	baseRate float64 // and what it brought
	hold     int     // observations until the next try
}

const (
	observeEvery = 200 * time.Millisecond
	sampleTicks  = 2
	settleTicks  = 1
	worthwhile   = 1.08 // a step up must bring this factor to be kept
	holdTicks    = 25
)

func newThrottle(most int) *throttle {
	most = max(most, 1)
	return &throttle{limit: min(firstConcurrency, most), max: most, settle: settleTicks}
}

// observe takes what passed since the last call. busy: as many ranges were in flight as allowed.
func (t *throttle) observe(bytes int64, took time.Duration, busy bool) {
	if t.settle > 0 {
		t.settle--
		return
	}
	t.bytes += bytes
	t.took += took.Seconds()
	if t.ticks++; t.ticks < sampleTicks || t.took == 0 {
		return
	}
	rate := float64(t.bytes) / t.took
	t.bytes, t.took, t.ticks = 0, 0, 0
	t.judge(rate, busy)
}

func (t *throttle) judge(rate float64, busy bool) {
	if t.base > 0 && rate < t.baseRate*worthwhile { // the step was in vain
		t.limit, t.base, t.hold, t.climbed = t.base, 0, holdTicks/sampleTicks, true
		return
	}
	if t.hold--; t.hold > 0 || !busy || t.limit >= t.max {
		t.base = 0
		return
	}
	t.base, t.baseRate = t.limit, rate
	step := t.limit // a source that is slow for each connection is found out within two seconds
	if t.climbed {
		step = max(1, t.limit/2)
	}
	t.limit = min(t.max, t.limit+step)
	t.settle = settleTicks
}

// pushedBack halves, once for all refusals of one moment.
func (t *throttle) pushedBack() {
	if t.settle > settleTicks {
		return
	}
	t.limit, t.climbed = max(1, t.limit/2), true
	t.base, t.hold, t.settle = 0, holdTicks/sampleTicks, settleTicks+3
	t.bytes, t.took, t.ticks = 0, 0, 0
}

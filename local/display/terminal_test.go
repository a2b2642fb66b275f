package display

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// terminal is a small model of one: it shows what a person would see after what was written.
type terminal struct {
	mu  sync.Mutex
	raw bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raw.Write(p)
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raw.String()
}

// lines plays carriage returns and erasures back.
func (t *terminal) lines() []string {
	var lines []string
	for line := range strings.SplitSeq(t.text(), "\n") {
		shown := ""
		for part := range strings.SplitSeq(line, "\r") {
			if rest, erased := strings.CutPrefix(part, "\x1b[K"); erased {
				shown = rest
			} else if part != "" {
				shown = strings.TrimSuffix(part, "\x1b[K")
			}
		}
		lines = append(lines, shown)
	}
	return lines
}

// clock is the time of a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newTestScreen has no ticker: a test redraws it when it wants to.
func newTestScreen(isTerminal, color bool) (*Screen, *terminal, *clock) {
	out, c := &terminal{}, newClock()
	s := &Screen{
		out: out, terminal: isTerminal, color: color, width: func() int { return 60 }, now: c.Now, stop: func() {},
	}
	return s, out, c
}

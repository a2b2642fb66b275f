package scenariotest

import (
	"strconv"
	"sync"
	"time"
)

// pace bounds the requests of any second.
type pace struct {
	mu     sync.Mutex
	limit  int // 0: none
	recent []time.Time
}

func (p *pace) allow(now time.Time) bool {
	if p.limit <= 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.recent) > 0 && now.Sub(p.recent[0]) >= time.Second {
		p.recent = p.recent[1:]
	}
	if len(p.recent) >= p.limit {
		return false
	}
	p.recent = append(p.recent, now)
	return true
}

// tooManyRequests is the answer above a per-team ceiling.
func (h *Handler) tooManyRequests(action string, limit int) *reply {
	r := failure(429, "Too many requests for this team: "+action+" is limited to "+strconv.Itoa(limit))
	r.body["details"] = map[string]any{"actionName": action, "actionLimit": limit}
	if h.options.RetryAfterSeconds >= 0 {
		r.retryAfter = strconv.Itoa(h.options.RetryAfterSeconds)
	}
	return r
}

package scenariotest

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxRequests is how many requests the journal keeps: the latest.
const maxRequests = 10_000

// A Request is one that the stand-in has seen, without credentials and signatures.
type Request struct {
	Time      time.Time `json:"time"`
	Operation Operation `json:"operation"`
	Method    string    `json:"method"`
	Path      string    `json:"path"` // without the query
	ProjectID string    `json:"projectId,omitempty"`
	UserAgent string    `json:"userAgent,omitempty"`
	Range     string    `json:"range,omitempty"`
	IfRange   string    `json:"ifRange,omitempty"`
	Body      string    `json:"body,omitempty"` // of an API request, its first 32 KiB
	// JobID is the job that it was about; of a launch: that it made.
	JobID string `json:"jobId,omitempty"`
	// Status is that of the answer; 0 if there was none.
	Status int `json:"status"`
	// Bytes is the length of the answer's body, as far as it was sent.
	Bytes int64 `json:"bytes"`
}

func newRequest(op Operation, r *http.Request, now time.Time) Request {
	return Request{
		Time: now, Operation: op, Method: r.Method, Path: r.URL.Path, ProjectID: r.URL.Query().Get("projectId"),
		UserAgent: r.UserAgent(), Range: r.Header.Get("Range"), IfRange: r.Header.Get("If-Range"),
	}
}

// journal is what was seen.
type journal struct {
	mu       sync.Mutex
	requests []Request
	open     int // archive responses at this moment
	peak     int
}

func (l *journal) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append(r)
}

func (l *journal) append(r Request) {
	if len(l.requests) >= maxRequests {
		l.requests = slices.Delete(l.requests, 0, maxRequests/10)
	}
	l.requests = append(l.requests, r)
}

// begin counts an archive response that begins, and end one that ends.
func (l *journal) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	l.peak = max(l.peak, l.open)
}

func (l *journal) end(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.append(r)
}

// Requests gives the requests that have ended, the latest 10,000 at most; of those operations only, if any are named.
func (h *Handler) Requests(of ...Operation) []Request {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	var found []Request
	for _, r := range h.journal.requests {
		if len(of) == 0 || slices.Contains(of, r.Operation) {
			found = append(found, r)
		}
	}
	return found
}

// PeakArchiveRequests is the greatest number of archive requests that were under way at once.
func (h *Handler) PeakArchiveRequests() int {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	return h.journal.peak
}

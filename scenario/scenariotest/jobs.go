package scenariotest

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxFinished is how many jobs that have ended are kept in memory, at least: with their assets some 100 KB each. Twice as
// many are there before the oldest go.
const maxFinished = 1000

// jobs are those launched since the start, and with a state those of before. Those that ended long ago are in the state
// alone; without one they are forgotten.
type jobs struct {
	state state

	mu    sync.Mutex
	byID  map[string]*job
	order []*job
}

// add takes a new job in, unless as many as the ceiling are running; 0: no ceiling. An error says that it could not be kept.
func (s *jobs) add(j *job, ceiling int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ceiling > 0 && s.running(j.Created) >= ceiling {
		return false, nil
	}
	if err := s.state.put(j); err != nil {
		return false, err
	}
	s.byID[j.ID] = j
	s.order = append(s.order, j)
	s.forget(j.Created)
	return true, nil
}

// forget lets the oldest of the jobs that have ended go, when there are many.
func (s *jobs) forget(now time.Time) {
	ended := len(s.order) - s.running(now)
	if ended < 2*maxFinished {
		return
	}
	s.order = slices.DeleteFunc(s.order, func(j *job) bool {
		if ended <= maxFinished || !j.final(now) {
			return false
		}
		ended--
		delete(s.byID, j.ID)
		return true
	})
}

func (s *jobs) running(now time.Time) int {
	n := 0
	for _, j := range s.order {
		if !j.final(now) {
			n++
		}
	}
	return n
}

// find gives a job, whichever project it is of; nil if there is none.
func (s *jobs) find(id string) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.byID[id]; j != nil {
		return j
	}
	return s.state.get(id)
}

// lookUp finds the job that a request is about, in the project that it names.
func (h *Handler) lookUp(r *http.Request) (*job, *reply) {
	id := r.PathValue("id")
	j := h.jobs.find(id)
	if j == nil || j.Project != r.URL.Query().Get("projectId") {
		return nil, failure(http.StatusNotFound, "Job "+id+" was not found")
	}
	return j, nil
}

func (h *Handler) getJob(r *http.Request, _ []byte, _ Fault) *reply {
	j, refused := h.lookUp(r)
	if refused != nil {
		return refused
	}
	return success(map[string]any{"job": h.describe(r, j)})
}

// describe is a job as GET /jobs/{id} shows it.
func (h *Handler) describe(r *http.Request, j *job) map[string]any {
	now := h.options.Now()
	history := []map[string]string{}
	for _, c := range j.history(now) {
		history = append(history, map[string]string{"date": isoTime(c.at), "status": c.status})
	}
	current := history[len(history)-1]
	metadata := map[string]any{"assetIds": []string{}, "input": j.Asked}
	if url := h.urlOf(r, j); url != "" && h.options.Routes != RoutesReference {
		metadata["archiveUrl"] = url
	}
	if j.final(now) && j.Reason != "" {
		metadata["error"] = j.Reason
	}
	return map[string]any{
		"jobId": j.ID, "jobType": jobType, "status": current["status"], "progress": j.progress(now), "statusHistory": history,
		"metadata": metadata, "createdAt": isoTime(j.Created), "updatedAt": current["date"], "ownerId": "team_local",
	}
}

func (h *Handler) getDownload(r *http.Request, _ []byte, _ Fault) *reply {
	j, refused := h.lookUp(r)
	if refused != nil {
		return refused
	}
	body := map[string]any{"jobId": j.ID, "jobStatus": j.current(h.options.Now()).status}
	if url := h.urlOf(r, j); url != "" {
		body["downloadUrl"] = url
	}
	return success(body)
}

// urlOf signs a new URL for a job's archive; empty if there is none to give.
func (h *Handler) urlOf(r *http.Request, j *job) string {
	now := h.options.Now()
	if j.NoURL || !j.succeeded(now) {
		return ""
	}
	return h.signer.url(baseOf(r), j, now)
}

func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (h *Handler) actOnJob(r *http.Request, body []byte, _ Fault) *reply {
	var action struct {
		Action string `json:"action"`
	}
	if err := decodeStrictly(body, &action); err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	if _, refused := h.lookUp(r); refused != nil {
		return refused
	}
	if action.Action != "cancel" {
		return failure(http.StatusBadRequest, "action must be one of: cancel")
	}
	return failure(http.StatusBadRequest, "Cannot cancel this type of job")
}

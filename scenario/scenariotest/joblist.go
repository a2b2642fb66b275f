package scenariotest

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jobFilter is what GET /v1/jobs may be asked for.
type jobFilter struct {
	project        string
	types          []string // empty: every type
	status         string
	created        time.Time // only jobs created after it
	updated        time.Time // only jobs updated after it
	byUpdate       bool      // sorted by the last update, not by creation
	pageSize, from int
}

// parseJobFilter reads a query as the official client documents it.
func parseJobFilter(q url.Values) (f jobFilter, err error) {
	f = jobFilter{project: q.Get("projectId"), status: q.Get("status")}
	if types := cmp.Or(strings.Join(q["types"], ","), q.Get("type")); types != "" {
		f.types = strings.Split(types, ",")
	}
	f.byUpdate = len(f.types) > 0 || f.status != "" || q.Get("workflowId") != ""
	if f.pageSize, err = pageSize(q); err != nil {
		return f, err
	}
	if v := q.Get("paginationToken"); v != "" {
		if f.from, err = strconv.Atoi(strings.TrimPrefix(v, "from-")); err != nil || f.from < 0 {
			return f, errors.New("paginationToken is not one of this list")
		}
	}
	for name, at := range map[string]*time.Time{"createdAfter": &f.created, "updatedAfter": &f.updated} {
		v := q.Get(name)
		if v == "" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339, v); err != nil {
			return f, errors.New(name + " must be a date in ISO 8601")
		}
		if f.byUpdate != (name == "updatedAfter") {
			return f, errors.New(name + " is not allowed with these filters")
		}
	}
	return f, nil
}

func (f jobFilter) takes(j *job, current change) bool {
	return j.Project == f.project && (len(f.types) == 0 || slices.Contains(f.types, jobType)) &&
		(f.status == "" || f.status == current.status) && j.Created.After(f.created) && current.at.After(f.updated)
}

// listJobs answers with the jobs that the query asks for, the latest first.
func (h *Handler) listJobs(r *http.Request, _ []byte, _ Fault) *reply {
	f, err := parseJobFilter(r.URL.Query())
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	found := h.jobs.filter(f, h.options.Now())
	page := found[min(f.from, len(found)):min(f.from+f.pageSize, len(found))]
	list := []map[string]any{}
	for _, j := range page {
		list = append(list, h.describe(r, j))
	}
	body := map[string]any{"jobs": list}
	if f.from+f.pageSize < len(found) {
		body["nextPaginationToken"] = "from-" + strconv.Itoa(f.from+f.pageSize)
	}
	return success(body)
}

// filter gives the jobs that a filter takes, in its order.
func (s *jobs) filter(f jobFilter, now time.Time) (found []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.order {
		if f.takes(j, j.current(now)) {
			found = append(found, j)
		}
	}
	slices.SortStableFunc(found, func(a, b *job) int {
		if f.byUpdate {
			return b.current(now).at.Compare(a.current(now).at)
		}
		return b.Created.Compare(a.Created)
	})
	return found
}

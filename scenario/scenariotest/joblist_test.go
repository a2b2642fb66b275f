package scenariotest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestJobList(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	h := NewHandler(Options{Now: func() time.Time { return now }, JobDuration: time.Hour})
	var names []string
	for range 3 {
		names = append(names, h.AddArchive("asset_1"))
		now = now.Add(time.Minute)
	}
	get := func(query string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9090/v1/jobs?"+query, nil)
		r.SetBasicAuth(DefaultKey, DefaultSecret)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := w.Body.String()
		for i, id := range names {
			body = strings.ReplaceAll(body, id, string(rune('1'+i)))
		}
		return w.Code, body
	}
	at := func(seconds int) string {
		return url.QueryEscape(now.Add(time.Duration(seconds-180) * time.Second).Format(time.RFC3339))
	}
	for _, c := range []struct {
		query  string
		status int
		jobs   string // in their order
		next   string
	}{
		{"", 200, "321", ""},
		{"types=assets-download,inference", 200, "321", ""},
		{"type=inference", 200, "", ""},
		{"type=assets-download&status=success&pageSize=2", 200, "32", "from-2"},
		{"pageSize=2&paginationToken=from-2", 200, "1", ""},
		{"status=queued", 200, "", ""},
		{"projectId=other", 200, "", ""},
		{"createdAfter=" + at(0), 200, "32", ""},
		{"types=assets-download&updatedAfter=" + at(60), 200, "3", ""},
		{"types=assets-download&createdAfter=" + at(0), 400, "", ""},
		{"updatedAfter=" + at(0), 400, "", ""},
		{"createdAfter=yesterday", 400, "", ""},
		{"pageSize=101", 400, "", ""},
		{"paginationToken=x", 400, "", ""},
	} {
		status, body := get(c.query)
		var got strings.Builder
		for _, part := range strings.Split(body, `"jobId":"`)[1:] {
			got.WriteString(part[:1])
		}
		if status != c.status || got.String() != c.jobs || strings.Contains(body, `"nextPaginationToken":"`+c.next+`"`) != (c.next != "") {
			t.Errorf("%s: %d %s, want %d %s %s", c.query, status, body, c.status, c.jobs, c.next)
		}
	}
}

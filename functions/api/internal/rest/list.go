package rest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/apigateway"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	maxCursor    = 6000 // Step Functions' token of at most 3096 characters, encoded
)

type listView struct {
	Archives []*view   `json:"archives"`
	Cursor   string    `json:"cursor,omitempty"` // of the next page
	Links    listLinks `json:"links"`
}

type listLinks struct {
	Next string `json:"next,omitempty"`
}

// list serves GET /archives.
func (a *api) list(w http.ResponseWriter, r *http.Request) error {
	q, err := readListQuery(r)
	if err != nil {
		return err
	}
	page, err := a.Archives.List(r.Context(), filters[q.status], int32(q.limit), q.token)
	if err != nil {
		return err
	}
	out := listView{Archives: []*view{}}
	for _, e := range page.Executions {
		out.Archives = append(out.Archives, a.describe(r, e))
	}
	if page.Next != "" {
		out.Cursor = cursor(q.status, page.Next)
		next := url.Values{"cursor": {out.Cursor}, "limit": {fmt.Sprint(q.limit)}}
		out.Links.Next = apigateway.FromContext(r.Context()).Prefix + "/archives?" + next.Encode()
		w.Header().Set("Link", "<"+out.Links.Next+`>; rel="next"`)
	}
	writeJSON(w, http.StatusOK, "application/json", out)
	return nil
}

type listQuery struct {
	status, token string
	limit         int
}

func readListQuery(r *http.Request) (q listQuery, err error) {
	values, err := parameters(r, "status", "limit", "cursor")
	if err != nil {
		return q, err
	}
	if q.limit, err = limit(values, defaultLimit, maxLimit); err != nil {
		return q, err
	}
	status, given := values["status"]
	if _, known := filters[status]; given && !known {
		return q, badParameter("status is %.40q; it must be running, succeeded, failed, timed-out or stopped", status)
	}
	q.status = status
	text, paged := values["cursor"]
	if !paged {
		return q, nil
	}
	// Step Functions wants the same filter with a token, so the cursor knows it.
	var ok bool
	if q.status, q.token, ok = readCursor(text); !ok {
		return q, badParameter("the cursor is not one of this list's; begin again without it")
	}
	if given && status != q.status {
		return q, badParameter("the cursor belongs to a list with another status; begin again without it")
	}
	return q, nil
}

func cursor(status, token string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(status + "\n" + token))
}

func readCursor(text string) (status, token string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > maxCursor {
		return "", "", false
	}
	status, token, ok = strings.Cut(string(raw), "\n")
	_, known := filters[status]
	return status, token, ok && token != "" && (known || status == "")
}

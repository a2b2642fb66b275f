package rest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	maxCursor    = 6000 // Step Functions' token of at most 3096 characters, encoded
)

type listView struct {
	Archives []*view `json:"archives"`
	nextPage
}

// nextPage is where a list goes on; empty at its end.
type nextPage struct {
	Cursor string `json:"cursor,omitempty"`
	Links  struct {
		Next string `json:"next,omitempty"`
	} `json:"links"`
}

// linkNext links to the page of a list that begins at a cursor, in the answer's header, too.
func linkNext(w http.ResponseWriter, r *http.Request, path, cursor string, limit int) (p nextPage) {
	query := url.Values{"cursor": {cursor}, "limit": {strconv.Itoa(limit)}}
	p.Cursor, p.Links.Next = cursor, httpapi.FromContext(r.Context()).Prefix+path+"?"+query.Encode()
	w.Header().Set("Link", "<"+p.Links.Next+`>; rel="next"`)
	return p
}

// list serves GET /archives.
func (a *api) list(w http.ResponseWriter, r *http.Request) error {
	q, err := readListQuery(r)
	if err != nil {
		return err
	}
	m := a.Archives
	if q.kind == kindBatch {
		m = a.Batches
	}
	page, err := m.List(r.Context(), q.status, int32(q.limit), q.token)
	if err != nil {
		return err
	}
	out := listView{Archives: []*view{}}
	for _, e := range page.Executions {
		out.Archives = append(out.Archives, a.describe(r, m, e))
	}
	if page.Next != "" {
		out.nextPage = linkNext(w, r, "/archives", cursor(q, page.Next), q.limit)
	}
	writeJSON(w, http.StatusOK, "application/json", out)
	return nil
}

// The kinds of what can be listed. The archives of batches are archives.
const (
	kindArchive = "archive"
	kindBatch   = "batch"
)

type listQuery struct {
	kind, token string
	status      executions.Status // "" for all
	limit       int
}

func readListQuery(r *http.Request) (q listQuery, err error) {
	values, limit, err := listParameters(r, defaultLimit, maxLimit, "kind", "status")
	if err != nil {
		return q, err
	}
	q.limit = limit
	q.kind, q.status = kindArchive, executions.Status(values["status"])
	if kind, given := values["kind"]; given {
		q.kind = kind
	}
	if _, given := values["status"]; given && !q.status.Valid() {
		return q, badParameter("status is %.40q; it must be running, succeeded, failed, timed-out or stopped", q.status)
	}
	if q.kind != kindArchive && q.kind != kindBatch {
		return q, badParameter("kind is %.40q; it must be archive or batch", q.kind)
	}
	return q.withCursor(values)
}

// withCursor reads the cursor. Step Functions wants the same filter with a token, so the cursor names the list that it is of.
func (q listQuery) withCursor(values map[string]string) (listQuery, error) {
	text, paged := values["cursor"]
	if !paged {
		return q, nil
	}
	of, ok := readCursor(text)
	if !ok {
		return q, badParameter("the cursor is not one of this list's; begin again without it")
	}
	for name, value := range map[string]string{"kind": of.kind, "status": string(of.status)} {
		if given, ok := values[name]; ok && given != value {
			return q, badParameter("the cursor belongs to a list with another %s; begin again without it", name)
		}
	}
	of.limit = q.limit
	return of, nil
}

func cursor(q listQuery, token string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(q.status) + "\n" + q.kind + "\n" + token))
}

func readCursor(text string) (of listQuery, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.SplitN(string(raw), "\n", 3)
	if err != nil || len(text) > maxCursor || len(parts) != 3 {
		return of, false
	}
	of = listQuery{status: executions.Status(parts[0]), kind: parts[1], token: parts[2]}
	known := (of.status == "" || of.status.Valid()) && (of.kind == kindArchive || of.kind == kindBatch)
	return of, known && of.token != ""
}

package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
	syncs "github.com/scenario-archive/scenario-archive/internal/sync"
)

const (
	defaultSyncs = 20
	maxSyncs     = 100
	// maxSyncFile is the size in bytes of a sync's file that is read. A status names at most 100 failed assets.
	maxSyncFile = 1 << 20
	// syncsAtOnce is how many syncs' files are read at once.
	syncsAtOnce = 16
)

// syncView is a sync and its last run.
type syncView struct {
	Name        string        `json:"name"`
	Status      string        `json:"status"` // running, succeeded, failed; "new" before the first run
	StartedAt   *time.Time    `json:"startedAt,omitempty"`
	EndedAt     *time.Time    `json:"endedAt,omitempty"`
	SucceededAt *time.Time    `json:"succeededAt,omitempty"`
	Cursor      *time.Time    `json:"cursor,omitempty"` // up to when all changes at Scenario are in the bucket
	Counts      *syncs.Counts `json:"counts,omitempty"` // of the last run
	Error       string        `json:"error,omitempty"`  // why the last run failed, or what is wrong with the definition
	Cause       string        `json:"cause,omitempty"`
}

type syncsView struct {
	Syncs  []*syncView `json:"syncs"` // by their names
	Cursor string      `json:"cursor,omitempty"`
	Links  listLinks   `json:"links"`
}

// listSyncs serves GET /syncs.
func (a *api) listSyncs(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r, "limit", "cursor")
	if err != nil {
		return err
	}
	most, err := limit(values, defaultSyncs, maxSyncs)
	if err != nil {
		return err
	}
	after, given := values["cursor"] // the name of the last sync
	if given && !syncs.ValidName(after) {
		return badParameter("the cursor is not one of this list's; begin again without it")
	}
	out := syncsView{Syncs: []*syncView{}}
	for o, err := range a.Files.List(r.Context(), syncs.Prefix, afterSync(after)) {
		if err != nil {
			return err
		}
		name, ok := syncs.NameOf(o.Key)
		if !ok {
			continue
		}
		if len(out.Syncs) == most {
			out.Cursor = out.Syncs[most-1].Name
			query := url.Values{"cursor": {out.Cursor}, "limit": {values["limit"]}}
			if values["limit"] == "" {
				query.Del("limit")
			}
			out.Links.Next = httpapi.FromContext(r.Context()).Prefix + "/syncs?" + query.Encode()
			w.Header().Set("Link", "<"+out.Links.Next+`>; rel="next"`)
			break
		}
		out.Syncs = append(out.Syncs, &syncView{Name: name, Status: "new"})
	}
	if err := a.readSyncs(r.Context(), out.Syncs); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, "application/json", out)
	return nil
}

func afterSync(name string) string {
	if name == "" {
		return ""
	}
	return syncs.DefinitionKey(name)
}

// readSyncs fills in what the bucket says of each sync.
func (a *api) readSyncs(ctx context.Context, list []*syncView) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, syncsAtOnce)
	var all sync.WaitGroup
	for _, v := range list {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := a.readSync(ctx, v); err != nil {
				cancel(err) // the first one counts
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (a *api) readSync(ctx context.Context, v *syncView) error {
	var s syncs.Status
	there, err := a.readFile(ctx, syncs.StatusKey(v.Name), &s)
	if err != nil {
		return err
	}
	if there && s.Status != "" {
		v.Status, v.Counts, v.Error, v.Cause = s.Status, &s.Counts, s.Error, s.Cause
		v.StartedAt, v.EndedAt, v.SucceededAt, v.Cursor = known(s.StartedAt), known(s.EndedAt), known(s.SucceededAt), known(s.Cursor)
	}
	var wrong struct{ Error, Cause string }
	there, err = a.readFile(ctx, syncs.ErrorKey(v.Name), &wrong)
	if there && wrong.Error != "" { // the definition is wrong now, however the last run ended
		v.Error, v.Cause = wrong.Error, wrong.Cause
	}
	return err
}

func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// readFile reads a small file of JSON; false if there is none, or one that is something else.
func (a *api) readFile(ctx context.Context, key string, v any) (bool, error) {
	content, _, err := a.Files.Read(ctx, key, maxSyncFile, bucket.GetOptions{})
	if bucket.IsMissing(err) || errors.Is(err, bucket.ErrTooLarge) {
		return false, nil
	}
	return err == nil && json.Unmarshal(content, v) == nil, err
}

// createSync serves POST /syncs: it puts the definition into the bucket, and whatever starts syncs there starts this one. The
// same definition once more, after a lost answer, is answered in the same way.
func (a *api) createSync(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	if err := checkMediaType(r.Header); err != nil {
		return err
	}
	body, err := a.body(w, r)
	if err != nil {
		return err
	}
	name, definition, err := readSyncRequest(body)
	if err != nil {
		return notJSON(body, err)
	}
	key := syncs.DefinitionKey(name)
	_, err = a.Files.Put(r.Context(), key, definition, bucket.PutOptions{ContentType: "application/json", IfMissing: true})
	if bucket.IsChanged(err) {
		there, _, readErr := a.Files.Read(r.Context(), key, maxSyncFile, bucket.GetOptions{})
		if readErr != nil || !bytes.Equal(there, definition) {
			return newProblem(http.StatusConflict, errSyncExists, "there is a sync %q already; take another name, or change %q in "+
				"the bucket", name, key).because(readErr)
		}
		err = nil
	}
	if err != nil {
		return err
	}
	v := &syncView{Name: name, Status: "new"}
	if err := a.readSync(r.Context(), v); err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, "application/json", v)
	return nil
}

// readSyncRequest takes the name out of the body. The rest is the definition, as it is written in the bucket.
func readSyncRequest(body []byte) (name string, definition []byte, err error) {
	if err := archive.CheckJSON(body); err != nil {
		return "", nil, err
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return "", nil, archive.NewError(archive.RequestInvalid, nil, "the request is not a JSON object with \"name\" and \"select\"")
	}
	if json.Unmarshal(fields["name"], &name) != nil || !syncs.ValidName(name) {
		return "", nil, archive.NewError(archive.RequestInvalid, nil, "\"name\" must be the sync's name: 1 to 40 letters, digits, "+
			"'_' and '-', the first a letter or a digit")
	}
	delete(fields, "name")
	if definition, err = json.Marshal(fields); err != nil {
		return "", nil, err
	}
	if len(definition) > maxSyncFile {
		return "", nil, archive.NewError(archive.RequestInvalid, nil, "the sync has more than %d bytes", maxSyncFile)
	}
	_, err = syncs.ParseDefinition(name, definition)
	return name, definition, err
}

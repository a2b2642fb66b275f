package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	syncs "github.com/scenario-archive/scenario-archive/internal/sync"
)

const (
	// maxSyncFile is the size in bytes of a sync's file that is read. A status names at most 100 failed assets.
	maxSyncFile = 1 << 20
	// maxDefinition is the size in bytes of a definition that is shown: a page has a hundred.
	maxDefinition = 8 << 10
	// maxShownFailed is how many missing assets of a sync are named; counts.failed says how many there are.
	maxShownFailed = 5
	maxShownText   = 600 // characters of an error's or a cause's text
	// statusNew is the status of a sync that has not run yet.
	statusNew = "new"
)

// syncView is a sync and its last run. It is made of named fields alone, so that nothing else of a status, which is
// anybody's who may write into the bucket, is passed on.
type syncView struct {
	Name              string `json:"name"`
	*syncs.Definition        // nil for one that cannot be read
	Status            string `json:"status"` // statusNew, or that of the last run
	// Full says that the last run listed everything again.
	Full        bool          `json:"full,omitempty"`
	StartedAt   *time.Time    `json:"startedAt,omitempty"`
	EndedAt     *time.Time    `json:"endedAt,omitempty"`
	SucceededAt *time.Time    `json:"succeededAt,omitempty"`
	Cursor      *time.Time    `json:"cursor,omitempty"` // up to when all changes at Scenario are in the bucket
	Counts      *syncs.Counts `json:"counts,omitempty"` // of the last run
	Failed      []failedAsset `json:"failed,omitempty"`
	Error       string        `json:"error,omitempty"` // why the last run failed, or what is wrong with the definition
	Cause       string        `json:"cause,omitempty"`
}

type failedAsset struct {
	AssetID string `json:"assetId"`
	Error   string `json:"error"`
	Cause   string `json:"cause,omitempty"`
}

type syncsView struct {
	Syncs []*syncView `json:"syncs"` // by their names
	nextPage
}

// listSyncs serves GET /syncs.
func (a *api) listSyncs(w http.ResponseWriter, r *http.Request) error {
	values, most, err := listParameters(r, defaultLimit, maxLimit)
	if err != nil {
		return err
	}
	after, given := values["cursor"] // the name of the last sync
	if given && !syncs.ValidName(after) {
		return badParameter("the cursor is not one of this list's; begin again without it")
	}
	out := syncsView{Syncs: []*syncView{}}
	for name, err := range syncs.Names(r.Context(), a.Bucket, after) {
		if err != nil {
			return err
		}
		if len(out.Syncs) == most {
			out.nextPage = linkNext(w, r, "/syncs", out.Syncs[most-1].Name, most)
			break
		}
		out.Syncs = append(out.Syncs, &syncView{Name: name})
	}
	err = batch.Each(r.Context(), len(out.Syncs), func(ctx context.Context, i int) error { return a.readSync(ctx, out.Syncs[i]) })
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, "application/json", out)
	return nil
}

// readSync fills in a sync's definition and its last run. What is in the files is anything: what is not as a sync writes
// it is left out.
func (a *api) readSync(ctx context.Context, v *syncView) error {
	v.Status = statusNew
	text, err := a.readFile(ctx, syncs.StatusKey(v.Name))
	if err != nil {
		return err
	}
	var s syncs.Status
	if json.Unmarshal(text, &s) == nil && (s.Status == syncs.Running || s.Status == syncs.Succeeded || s.Status == syncs.Failed) {
		v.lastRun(s)
	}
	text, err = a.readFile(ctx, syncs.DefinitionKey(v.Name))
	if err != nil || text == nil {
		return err
	}
	d, err := syncs.ParseDefinition(v.Name, text)
	switch {
	case err != nil: // the definition is wrong now, however the last run ended
		v.Error, v.Cause = errRequestInvalid.name, cut(err.Error())
	case len(text) <= maxDefinition:
		v.Definition = &d
	}
	return nil
}

func (v *syncView) lastRun(s syncs.Status) {
	v.Status, v.Full, v.Counts, v.Error, v.Cause = s.Status, s.Full, &s.Counts, cut(s.Error), cut(s.Cause)
	v.StartedAt, v.EndedAt, v.SucceededAt, v.Cursor = known(s.StartedAt), known(s.EndedAt), known(s.SucceededAt), known(s.Cursor)
	for _, f := range s.Failed[:min(len(s.Failed), maxShownFailed)] {
		v.Failed = append(v.Failed, failedAsset{cut(f.AssetID), cut(f.Error), cut(f.Cause)})
	}
}

// cut bounds a text from a file that anybody may have written.
func cut(text string) string { return fmt.Sprintf("%.*s", maxShownText, text) }

func known(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// readFile reads a small file; nil if there is none, or a large one.
func (a *api) readFile(ctx context.Context, key string) ([]byte, error) {
	content, _, err := a.Bucket.Read(ctx, key, maxSyncFile, bucket.GetOptions{})
	if bucket.IsMissing(err) || errors.Is(err, bucket.ErrTooLarge) {
		return nil, nil
	}
	return content, err
}

// createSync serves POST /syncs: it puts the definition into the bucket, and whatever starts syncs there starts this one. The
// same definition once more, after a lost answer, is answered in the same way.
func (a *api) createSync(w http.ResponseWriter, r *http.Request) error {
	replace, err := onlyFlag(r, "replace")
	if err != nil {
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
	status, err := a.storeSync(r.Context(), name, definition, replace)
	if err != nil {
		return err
	}
	v := &syncView{Name: name}
	if err := a.readSync(r.Context(), v); err != nil {
		return err
	}
	writeJSON(w, status, "application/json", v)
	return nil
}

// storeSync writes a definition, and gives the status to answer with. Replacing a definition by the same one starts another run.
func (a *api) storeSync(ctx context.Context, name string, definition []byte, replace bool) (status int, err error) {
	key, o := syncs.DefinitionKey(name), bucket.PutOptions{ContentType: "application/json", IfMissing: true}
	_, err = a.Bucket.Put(ctx, key, definition, o)
	if !bucket.IsChanged(err) {
		return http.StatusCreated, err
	}
	if replace {
		o.IfMissing = false
		_, err = a.Bucket.Put(ctx, key, definition, o)
		return http.StatusOK, err
	}
	there, _, err := a.Bucket.Read(ctx, key, maxSyncFile, bucket.GetOptions{})
	if err != nil || !bytes.Equal(there, definition) {
		return 0, errSyncExists.problem("there is a sync %q already; take another name, replace it with the "+
			"parameter replace=true, or change %q in the bucket", name, key).because(err)
	}
	return http.StatusCreated, nil
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

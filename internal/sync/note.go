package sync

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

const (
	// maxNotes is how many assets can be written down as missing. The cursor stays where it is when there are more.
	maxNotes = 10_000
	// shownNotes of them are named in the status.
	shownNotes = 100
	maxCause   = 300 // bytes

	firstPause = 15 * time.Minute
	maxPause   = 24 * time.Hour
)

// What a note's error can be, beside the named errors of archives.
const (
	// AssetPending: the asset is not finished at Scenario. It is looked at again at every run.
	AssetPending = "AssetPending"
	// AssetFailed: Scenario says that the asset has failed.
	AssetFailed = "AssetFailed"
	// AssetTooLarge: the asset's file is larger than a sync takes.
	AssetTooLarge = "AssetTooLarge"
	// EntryMissing: two archives did not hold the asset, without a word.
	EntryMissing = "EntryMissing"
)

// A Note is an asset that the cursor has passed and that is not in the bucket.
type Note struct {
	AssetID  string    `json:"assetId"`
	Error    string    `json:"error"`
	Cause    string    `json:"cause,omitempty"`
	Attempts int       `json:"attempts"`
	Since    time.Time `json:"since"`
	// Next is when it is tried again. The pause doubles with each attempt, up to a day.
	Next time.Time `json:"next"`
	// UpdatedAt is the asset's; a later change is tried at once.
	UpdatedAt time.Time `json:"updatedAt"`
}

// notes are those of one sync.
type notes struct {
	byID  map[string]Note
	dirty bool
}

func (e Engine) readNotes(ctx context.Context, name string) (*notes, error) {
	n := &notes{byID: map[string]Note{}}
	o, err := e.read(ctx, notesKey(name))
	if err != nil || o == nil {
		return n, err
	}
	var list []Note
	if err := json.Unmarshal(o.body, &list); err != nil {
		return nil, archive.NewError(archive.Internal, err, "%q is not what it should be: %v", notesKey(name), err)
	}
	for _, note := range list {
		n.byID[note.AssetID] = note
	}
	return n, nil
}

func (e Engine) writeNotes(ctx context.Context, name string, n *notes) error {
	if !n.dirty {
		return nil
	}
	if len(n.byID) > maxNotes {
		return archive.NewError(archive.SyncFailed, nil, "%d assets could not be fetched, and at most %d are written down as failed: "+
			"the cursor stays where it is. Most of them fail alike: see the batch's executions", len(n.byID), maxNotes)
	}
	text, err := json.Marshal(n.sorted())
	if err == nil {
		err = e.put(ctx, notesKey(name), text)
	}
	if err == nil {
		n.dirty = false
	}
	return err
}

// add writes an asset down, or adds an attempt to what is written.
func (n *notes) add(id, name, cause string, updated, now time.Time) {
	note := n.byID[id]
	if note.AssetID == "" || note.Error == AssetPending && name != AssetPending {
		note = Note{AssetID: id, Since: now}
	}
	if len(cause) > maxCause {
		cause = cause[:maxCause] + "…"
	}
	note.Error, note.Cause, note.UpdatedAt = name, cause, updated
	note.Attempts++
	note.Next = now
	if name != AssetPending {
		note.Next = now.Add(min(maxPause, firstPause<<min(note.Attempts-1, 16)))
	}
	n.byID[id], n.dirty = note, true
}

func (n *notes) remove(id string) {
	if _, ok := n.byID[id]; ok {
		delete(n.byID, id)
		n.dirty = true
	}
}

// rests says whether an asset that a list shows is to be left alone for now.
func (n *notes) rests(id string, updated, now time.Time) bool {
	note, ok := n.byID[id]
	return ok && note.Error != AssetPending && now.Before(note.Next) && !updated.After(note.UpdatedAt)
}

// due are those to be tried now.
func (n *notes) due(now time.Time, all bool) (ids []string) {
	for id, note := range n.byID {
		if all || !now.Before(note.Next) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (n *notes) sorted() []Note {
	return slices.SortedFunc(maps.Values(n.byID), func(a, b Note) int { return cmp.Compare(a.AssetID, b.AssetID) })
}

// writeTo puts the notes into a status.
func (n *notes) writeTo(s *Status) {
	s.Counts.Failed, s.Counts.Pending = 0, 0
	s.Failed = []Note{}
	for _, note := range n.sorted() {
		if note.Error == AssetPending {
			s.Counts.Pending++
			continue
		}
		s.Counts.Failed++
		if len(s.Failed) < shownNotes {
			s.Failed = append(s.Failed, note)
		}
	}
}

package scenariotest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A CatalogueAsset is an asset that lists show. What is empty gets a value made from the ID.
type CatalogueAsset struct {
	ID            string    `json:"id"`
	ProjectID     string    `json:"projectId,omitempty"` // empty: of every project
	CreatedAt     time.Time `json:"createdAt,omitzero"`  // default: as it was, or now
	UpdatedAt     time.Time `json:"updatedAt,omitzero"`  // default: now
	AuthorID      string    `json:"authorId,omitempty"`
	CollectionIDs []string  `json:"collectionIds,omitempty"`
	Tags          []string  `json:"tags,omitempty"`
	Type          string    `json:"type,omitempty"`   // default: inference-txt2img
	Status        string    `json:"status,omitempty"` // default: success
	ModelID       string    `json:"modelId,omitempty"`
	InferenceID   string    `json:"inferenceId,omitempty"`
	ParentID      string    `json:"parentId,omitempty"`
	RootID        string    `json:"rootId,omitempty"`
	// Version distinguishes files of one asset: another one has other bytes and another URL.
	Version int `json:"version,omitempty"`
	// LeftOut is in how many archives to come the asset's file is missing, without a word; negative: in all.
	LeftOut int `json:"leftOut,omitempty"`
	// Deleted takes the asset away: it is not found from then on.
	Deleted bool `json:"deleted,omitempty"`
}

// catalogueBegan is when the first asset of Options.Catalogue was made; the others follow, one a second.
var catalogueBegan = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// catalogue is the assets that lists show.
type catalogue struct {
	state  state // keeps what was put
	mu     sync.Mutex
	byID   map[string]*CatalogueAsset
	sorted map[string][]*CatalogueAsset // by the field of sortBy; missing: to be sorted
}

// newCatalogue makes one of n assets, changed as the state says.
func newCatalogue(n int, kept state) (*catalogue, error) {
	c := &catalogue{state: kept, byID: make(map[string]*CatalogueAsset, n), sorted: map[string][]*CatalogueAsset{}}
	for i := range n {
		at := catalogueBegan.Add(time.Duration(i) * time.Second)
		id := fmt.Sprintf("asset_catalogue%07d", i)
		c.byID[id] = &CatalogueAsset{ID: id, CreatedAt: at, UpdatedAt: at, CollectionIDs: []string{collections[i%len(collections)]}}
	}
	changed, err := kept.loadCatalogue()
	maps.Copy(c.byID, changed)
	return c, err
}

var collections = []string{"collection_heroes", "collection_villains"}

// PutAssets adds assets to the catalogue, or replaces those of the same IDs. It panics if an ID is not one of an asset.
func (h *Handler) PutAssets(list ...CatalogueAsset) {
	if err := h.putAssets(list); err != nil {
		panic("scenariotest: " + err.Error())
	}
}

func (h *Handler) putAssets(list []CatalogueAsset) error {
	for _, a := range list {
		if !exists(a.ID) {
			return fmt.Errorf("%q is no asset's ID, or one that does not exist", a.ID)
		}
	}
	now := h.options.Now().UTC().Truncate(time.Millisecond)
	c := h.catalogue
	c.mu.Lock()
	defer c.mu.Unlock()
	var put []*CatalogueAsset
	for _, a := range list {
		if old := c.byID[a.ID]; old != nil && a.CreatedAt.IsZero() {
			a.CreatedAt = old.CreatedAt
		}
		if a.CreatedAt.IsZero() {
			a.CreatedAt = now
		}
		if a.UpdatedAt.IsZero() {
			a.UpdatedAt = now
		}
		put = append(put, &a)
	}
	if err := c.state.keepAssets(put); err != nil {
		return err
	}
	clear(c.sorted)
	for _, a := range put {
		c.byID[a.ID] = a
	}
	return nil
}

// bulk gives those of the assets that exist; every ID that was never put is an asset as old as the catalogue.
func (c *catalogue) bulk(ids []string) (found []CatalogueAsset) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		switch a := c.byID[id]; {
		case a != nil && !a.Deleted:
			found = append(found, *a)
		case a == nil && exists(id):
			found = append(found, CatalogueAsset{ID: id, CreatedAt: catalogueBegan, UpdatedAt: catalogueBegan})
		}
	}
	return found
}

// enter gives the assets of a job the versions that they have now, and says which one is gone. Its error is the disk's.
func (c *catalogue) enter(assets []asset) (gone string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var changed []*CatalogueAsset
	for i := range assets {
		a := c.byID[assets[i].ID]
		switch {
		case a == nil:
			continue
		case a.Deleted:
			return a.ID, c.state.keepAssets(changed)
		}
		assets[i].Version = a.Version
		assets[i].LeftOut = a.LeftOut != 0
		if a.LeftOut > 0 {
			a.LeftOut--
			changed = append(changed, a)
		}
	}
	return "", c.state.keepAssets(changed)
}

func (a *CatalogueAsset) author() string     { return cmp.Or(a.AuthorID, "user_local") }
func (a *CatalogueAsset) kindOfType() string { return cmp.Or(a.Type, "inference-txt2img") }

func (a *CatalogueAsset) time(sortBy string) time.Time {
	if sortBy == sortByCreated {
		return a.CreatedAt
	}
	return a.UpdatedAt
}

// compare orders assets by a time, and those of the same one by their IDs.
func compare(a, b *CatalogueAsset, sortBy string) int {
	return cmp.Or(a.time(sortBy).Compare(b.time(sortBy)), strings.Compare(a.ID, b.ID))
}

// inOrder gives all assets, the oldest first. The caller holds mu.
func (c *catalogue) inOrder(sortBy string) []*CatalogueAsset {
	if list := c.sorted[sortBy]; list != nil {
		return list
	}
	list := slices.SortedFunc(maps.Values(c.byID), func(a, b *CatalogueAsset) int { return compare(a, b, sortBy) })
	c.sorted[sortBy] = list
	return list
}

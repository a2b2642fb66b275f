package scenariotest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest/internal/virtualzip"
)

const (
	sortByCreated = "createdAt"
	sortByUpdated = "updatedAt"

	// scanned is how many assets, in pages, are looked at for one page: what a filter leaves of them is the page, which may
	// be short, or empty while a token remains.
	scanned = 4

	maxBulk = 200
)

// A listing is what GET /v1/assets is asked for.
type listing struct {
	values        url.Values
	sortBy        string
	descending    bool
	size          int
	after, before time.Time // both excluded
	position      *CatalogueAsset
}

var listParameters = []string{
	"authorId", "collectionId", "createdAfter", "createdBefore", "deleted", "inferenceId", "modelId", "originalAssets", "pageSize",
	"paginationToken", "parentAssetId", "privacy", "projectId", "rootAssetId", "sortBy", "sortDirection", "tags", "type", "types",
	"updatedAfter", "updatedBefore",
}

func parseListing(values url.Values) (listing, error) {
	l := listing{values: values, sortBy: values.Get("sortBy"), descending: true}
	for name := range values {
		if !slices.Contains(listParameters, name) {
			return l, fmt.Errorf("unknown parameter %s", name)
		}
	}
	switch l.sortBy {
	case "":
		l.sortBy = sortByCreated
	case sortByCreated, sortByUpdated:
	default:
		return l, errors.New("sortBy must be one of: createdAt, updatedAt")
	}
	switch values.Get("sortDirection") {
	case "", "desc":
	case "asc":
		l.descending = false
	default:
		return l, errors.New("sortDirection must be one of: asc, desc")
	}
	var err error
	if l.size, err = pageSize(values); err != nil {
		return l, err
	}
	if err := l.parseTimes(); err != nil {
		return l, err
	}
	return l, l.parseToken()
}

// pageSize is that of a list of assets or of jobs.
func pageSize(values url.Values) (int, error) {
	text := cmp.Or(values.Get("pageSize"), "50")
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= 100 {
		return n, nil
	}
	return 0, errors.New("pageSize must be a number from 1 to 100")
}

func (l *listing) parseTimes() error {
	for _, sort := range []string{"created", "updated"} {
		for _, bound := range []struct {
			name string
			into *time.Time
		}{{sort + "After", &l.after}, {sort + "Before", &l.before}} {
			text := l.values.Get(bound.name)
			if text == "" {
				continue
			}
			if l.values.Get("sortBy") != sort+"At" {
				return fmt.Errorf("%s requires sortBy=%sAt", bound.name, sort)
			}
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return fmt.Errorf("%s must be an ISO date", bound.name)
			}
			*bound.into = at
		}
	}
	return nil
}

// A token is the last asset looked at; what stands behind it comes next, whatever changes meanwhile.
func (l *listing) parseToken() error {
	text := l.values.Get("paginationToken")
	if text == "" {
		return nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	nanoseconds, id, ok := strings.Cut(string(decoded), " ")
	n, numberErr := strconv.ParseInt(nanoseconds, 10, 64)
	if err != nil || !ok || numberErr != nil {
		return errors.New("invalid paginationToken")
	}
	at := time.Unix(0, n)
	l.position = &CatalogueAsset{ID: id, CreatedAt: at, UpdatedAt: at}
	return nil
}

func (l *listing) token(a *CatalogueAsset) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", a.time(l.sortBy).UnixNano(), a.ID))
}

// page gives the next assets of the list, and where it goes on; "" at its end.
func (c *catalogue) page(l listing) (page []CatalogueAsset, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.inOrder(l.sortBy)
	from, to := l.bounds(list)
	list = list[from:to]
	at := func(n int) *CatalogueAsset {
		if l.descending {
			n = len(list) - 1 - n
		}
		return list[n]
	}
	for n := range list {
		if len(page) == l.size || n == scanned*l.size {
			return page, l.token(at(n - 1))
		}
		if a := at(n); l.takes(a) {
			page = append(page, *a)
		}
	}
	return page, ""
}

// bounds are the part of the ordered list that is still to be looked at.
func (l *listing) bounds(list []*CatalogueAsset) (from, to int) {
	first := func(beyond func(*CatalogueAsset) bool) int {
		return sort.Search(len(list), func(i int) bool { return beyond(list[i]) })
	}
	from, to = 0, len(list)
	if !l.after.IsZero() {
		from = first(func(a *CatalogueAsset) bool { return a.time(l.sortBy).After(l.after) })
	}
	if !l.before.IsZero() {
		to = first(func(a *CatalogueAsset) bool { return !a.time(l.sortBy).Before(l.before) })
	}
	if l.position != nil && l.descending {
		to = min(to, first(func(a *CatalogueAsset) bool { return compare(a, l.position, l.sortBy) >= 0 }))
	} else if l.position != nil {
		from = max(from, first(func(a *CatalogueAsset) bool { return compare(a, l.position, l.sortBy) > 0 }))
	}
	return from, to
}

func (l *listing) takes(a *CatalogueAsset) bool {
	is := func(name, value string) bool { return l.values.Get(name) == "" || l.values.Get(name) == value }
	v := l.values
	types := strings.FieldsFunc(v.Get("types")+","+v.Get("type"), func(r rune) bool { return r == ',' })
	return !a.Deleted && (a.ProjectID == "" || a.ProjectID == v.Get("projectId")) &&
		is("authorId", a.author()) && is("modelId", a.ModelID) && is("inferenceId", a.InferenceID) &&
		is("parentAssetId", a.ParentID) && is("rootAssetId", a.RootID) && is("privacy", "private") &&
		(v.Get("collectionId") == "" || slices.Contains(a.CollectionIDs, v.Get("collectionId"))) &&
		(len(types) == 0 || slices.Contains(types, a.kindOfType()))
}

func (h *Handler) listAssets(r *http.Request, _ []byte, _ Fault) *reply {
	values := r.URL.Query()
	switch {
	case values.Get("deleted") == "true":
		return failure(http.StatusForbidden, "Listing deleted assets needs the plan Max")
	case values.Get("tags") != "" && values.Get("privacy") != "public":
		return failure(http.StatusBadRequest, "tags can be used for public assets only")
	}
	l, err := parseListing(values)
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	page, token := h.catalogue.page(l)
	body := map[string]any{"assets": h.describeAssets(r, page)}
	if token != "" {
		body["nextPaginationToken"] = token
	}
	return success(body)
}

func (h *Handler) bulkAssets(r *http.Request, body []byte, _ Fault) *reply {
	var asked struct {
		AssetIDs []string `json:"assetIds"`
	}
	if err := decodeStrictly(body, &asked); err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	if len(asked.AssetIDs) == 0 || len(asked.AssetIDs) > maxBulk {
		return failure(http.StatusBadRequest, fmt.Sprintf("assetIds must have 1 to %d IDs", maxBulk))
	}
	return success(map[string]any{"assets": h.describeAssets(r, h.catalogue.bulk(asked.AssetIDs))})
}

func (h *Handler) getAsset(r *http.Request, _ []byte, _ Fault) *reply {
	found := h.catalogue.bulk([]string{r.PathValue("id")})
	if len(found) == 0 {
		return noAsset(r.PathValue("id"))
	}
	return success(map[string]any{"asset": h.describeAsset(r, found[0])})
}

func (h *Handler) describeAssets(r *http.Request, list []CatalogueAsset) []map[string]any {
	described := make([]map[string]any, len(list))
	for i, a := range list {
		described[i] = h.describeAsset(r, a)
	}
	return described
}

// describeAsset is an asset as the API shows it: every field that the official client requires, with signed URLs that
// change from answer to answer, and an embedding. The URLs serve nothing: files come in archives only.
func (h *Handler) describeAsset(r *http.Request, a CatalogueAsset) map[string]any {
	p := asset{ID: a.ID}.parameters()
	file := fmt.Sprintf("%s/assets/%s-%d.png?Policy=p&Key-Pair-Id=k&Signature=%s", baseOf(r), a.ID, a.Version, rand.Text())
	metadata := map[string]any{
		"kind": "image", "type": a.kindOfType(), "prompt": p["prompt"], "seed": p["seed"], "guidance": 3.5, "numInferenceSteps": 28,
	}
	for name, value := range map[string]string{
		"modelId": a.ModelID, "inferenceId": a.InferenceID, "parentId": a.ParentID, "rootParentId": a.RootID,
	} {
		if value != "" {
			metadata[name] = value
		}
	}
	return map[string]any{
		"id": a.ID, "authorId": a.author(), "ownerId": "team_local",
		"collectionIds": append([]string{}, a.CollectionIDs...), "tags": append([]string{}, a.Tags...), // [] in JSON, not null
		"createdAt": isoTime(a.CreatedAt), "updatedAt": isoTime(a.UpdatedAt), "kind": "image", "mimeType": "image/png",
		"privacy": "private", "source": "inference-txt", "status": cmp.Or(a.Status, statusSuccess), "description": p["description"],
		"url": file, "thumbnail": map[string]any{"assetId": a.ID, "url": file}, "editCapabilities": []string{"UPSCALE"}, "nsfw": []string{},
		"properties": map[string]any{"size": h.options.AssetSize, "width": virtualzip.Side, "height": virtualzip.Side},
		"metadata":   metadata, "embedding": []float64{0.25, -0.5, 0.125},
	}
}

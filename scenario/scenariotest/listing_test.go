package scenariotest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// list goes over the pages of a list and gives the IDs, and how many stood on each page.
func (s *standIn) list(query string) (ids []string, pages []int) {
	s.t.Helper()
	for token := ""; ; {
		path := "/v1/assets?" + query
		if token != "" {
			path += "&paginationToken=" + url.QueryEscape(token)
		}
		got := s.call("GET", path, "")
		if got.StatusCode != http.StatusOK {
			s.t.Fatalf("%s: %d %s", query, got.StatusCode, got.body)
		}
		var page struct {
			Assets              []struct{ ID string }
			NextPaginationToken string
		}
		if err := json.Unmarshal(got.body, &page); err != nil {
			s.t.Fatal(err)
		}
		for _, a := range page.Assets {
			ids = append(ids, a.ID)
		}
		pages = append(pages, len(page.Assets))
		if token = page.NextPaginationToken; token == "" {
			return ids, pages
		}
	}
}

func TestListOrderAndBounds(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	at := func(second int) time.Time { return time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC) }
	s.PutAssets(
		scenariotest.CatalogueAsset{ID: "asset_b", UpdatedAt: at(1), CreatedAt: at(9)},
		scenariotest.CatalogueAsset{ID: "asset_a", UpdatedAt: at(1), CreatedAt: at(8), CollectionIDs: []string{"c"}},
		scenariotest.CatalogueAsset{ID: "asset_c", UpdatedAt: at(2), CreatedAt: at(7), Type: "upscale"},
		scenariotest.CatalogueAsset{ID: "asset_d", UpdatedAt: at(3), CreatedAt: at(6), ProjectID: "p"},
	)
	for query, want := range map[string]string{
		"sortBy=updatedAt&sortDirection=asc":                 "a b c",
		"sortBy=updatedAt&sortDirection=asc&pageSize=1":      "a b c",
		"sortBy=updatedAt&pageSize=1":                        "c b a",
		"sortBy=createdAt&sortDirection=asc":                 "c a b",
		"":                                                   "b a c",
		"sortBy=updatedAt&sortDirection=asc&projectId=p":     "a b c d",
		"sortBy=updatedAt&updatedAfter=2026-01-01T00:00:01Z": "c",
		"sortBy=updatedAt&updatedAfter=2026-01-01T00:00:00.999Z&sortDirection=asc&pageSize=2": "a b c",
		"sortBy=updatedAt&updatedBefore=2026-01-01T00:00:02Z&sortDirection=asc":               "a b",
		"collectionId=c":  "a",
		"types=x,upscale": "c",
		"authorId=nobody": "",
	} {
		ids, _ := s.list(query)
		if got := strings.ReplaceAll(strings.Join(ids, " "), "asset_", ""); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"pageSize=0", "pageSize=101", "sortBy=name", "sortDirection=up", "updatedAfter=2026-01-01T00:00:00Z",
		"sortBy=updatedAt&updatedAfter=yesterday", "paginationToken=x", "kind=image", "tags=a"} {
		if got := s.call("GET", "/v1/assets?"+query, ""); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.StatusCode)
		}
	}
	if got := s.call("GET", "/v1/assets?deleted=true", ""); got.StatusCode != http.StatusForbidden {
		t.Errorf("deleted: %d", got.StatusCode)
	}
}

// A filter that leaves little makes short and empty pages, with a token.
func TestListPagesMayBeEmpty(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.Catalogue = 1000 })
	s.PutAssets(scenariotest.CatalogueAsset{ID: "asset_last", CollectionIDs: []string{"c"}})
	ids, pages := s.list("collectionId=c&sortBy=updatedAt&sortDirection=asc&pageSize=10")
	if len(ids) != 1 || len(pages) < 10 || slices.Max(pages[:len(pages)-1]) != 0 {
		t.Errorf("got %v on %v", ids, pages)
	}
	if ids, pages = s.list("pageSize=100"); len(ids) != 1001 || len(pages) != 11 {
		t.Errorf("got %d on %v", len(ids), pages)
	}
}

func TestAssetVersionsAndArchives(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	archive := func() []byte {
		id := s.launch(twoAssets)
		s.advance(time.Hour)
		return s.content(id)
	}
	before := archive()
	s.PutAssets(scenariotest.CatalogueAsset{ID: "asset_1", Version: 1})
	if bytes.Equal(before, archive()) {
		t.Error("another version has the same bytes")
	}
	s.PutAssets(scenariotest.CatalogueAsset{ID: "asset_1", LeftOut: 1})
	id := s.launch(twoAssets)
	if file, err := s.ArchiveFile(id); err != nil || file.Files != 1 {
		t.Errorf("left out: %d files, %v", file.Files, err)
	}
	if !bytes.Equal(before, archive()) {
		t.Error("left out for longer than it should")
	}
	s.PutAssets(scenariotest.CatalogueAsset{ID: "asset_1", Deleted: true})
	if got := s.call("POST", "/v1/assets/archive", twoAssets); got.StatusCode != http.StatusNotFound {
		t.Errorf("an archive of a deleted asset: %d", got.StatusCode)
	}
	if got := s.call("GET", "/v1/assets/asset_1", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("a deleted asset: %d", got.StatusCode)
	}
	file, err := scenariotest.AssetFile(scenariotest.Options{AssetSize: 3_000}, "asset_2", 0)
	whole, readErr := io.ReadAll(file)
	if err != nil || readErr != nil || !bytes.Contains(before, whole) {
		t.Errorf("AssetFile: %d bytes that are not in the archive, %v, %v", len(whole), err, readErr)
	}
}

func TestAssetsFromOutside(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	for body, status := range map[string]int{
		`[{"id":"asset_x","tags":["t"],"updatedAt":"2026-01-01T00:00:00.000Z"}]`: 204,
		`[{"id":"asset_missing"}]`: 400, `[{"id":"asset_x","colour":"red"}]`: 400, `{}`: 400,
	} {
		if got := s.do(s.request("POST", "/_test/assets", body)); got.StatusCode != status {
			t.Errorf("%s: %d %s", body, got.StatusCode, got.body)
		}
	}
	got := s.call("POST", "/v1/assets/get-bulk", `{"assetIds":["asset_x","asset_missing","asset_never_put"]}`)
	if text := string(got.body); got.StatusCode != 200 || !strings.Contains(text, `"tags":["t"]`) ||
		!strings.Contains(text, "asset_never_put") || strings.Contains(text, "asset_missing") {
		t.Errorf("get-bulk: %d %s", got.StatusCode, got.body)
	}
	for _, body := range []string{`{"assetIds":[]}`, `{"ids":["asset_x"]}`, `{"assetIds":["` + strings.Repeat(`a","`, 200) + `a"]}`} {
		if got := s.call("POST", "/v1/assets/get-bulk", body); got.StatusCode != 400 {
			t.Errorf("%.30s: %d", body, got.StatusCode)
		}
	}
}

func TestDryRunLaunchesNothing(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	got := s.call("POST", "/v1/assets/download?dryRun=true", twoAssets)
	if got.StatusCode != 269 || got.fields(t)["creativeUnitsCost"] != 0.02 || len(s.Jobs()) != 0 {
		t.Errorf("got %d %s, %d jobs", got.StatusCode, got.body, len(s.Jobs()))
	}
}

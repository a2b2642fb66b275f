package scenario

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func assetJSON(id, updated string) string {
	return fmt.Sprintf(`{"id":%q,"updatedAt":%q,"status":"success","url":"https://cdn.example/x?Signature=secret"}`, id, updated)
}

func pageOf(token string, assets ...string) scriptedAnswer {
	body := `{"assets":[` + strings.Join(assets, ",") + `]`
	if token != "" {
		body += `,"nextPaginationToken":"` + token + `"`
	}
	return scriptedAnswer{status: 200, body: body + "}"}
}

func collect(t *testing.T, c *testClient, f AssetFilter) (ids []string, err error) {
	t.Helper()
	for a, failure := range c.Assets(t.Context(), f) {
		if failure != nil {
			err = failure
			continue
		}
		ids = append(ids, a.ID)
	}
	return ids, err
}

func queries(t *testing.T, s *scripted) (list []url.Values) {
	t.Helper()
	for _, r := range s.requests() {
		u, err := url.Parse(r.uri)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, u.Query())
	}
	return list
}

func TestAssetsGoesOverPages(t *testing.T) {
	t.Parallel()
	s := script(t, pageOf("t1", assetJSON("a", "2026-01-01T00:00:00.000Z")), pageOf("t2"),
		pageOf("", assetJSON("b", "2026-01-02T00:00:00Z")))
	ids, err := collect(t, s.client(), AssetFilter{
		ProjectID: "p", CollectionID: "c", Types: []string{"upscale", "texture"}, OriginalAssets: true,
		UpdatedAfter: time.Date(2025, 1, 1, 1, 0, 0, 5e6, time.FixedZone("", 3600)),
	})
	if err != nil || strings.Join(ids, " ") != "a b" {
		t.Fatalf("got %v, %v", ids, err)
	}
	want := "collectionId=c&originalAssets=true&pageSize=100&projectId=p&sortBy=updatedAt&sortDirection=asc&" +
		"types=upscale%2Ctexture&updatedAfter=2025-01-01T00%3A00%3A00.005Z"
	for i, q := range queries(t, s) {
		if token := []string{"", "t1", "t2"}[i]; q.Get("paginationToken") != token {
			t.Errorf("page %d: token %q", i, q.Get("paginationToken"))
		}
		q.Del("paginationToken")
		if q.Encode() != want {
			t.Errorf("page %d: %s", i, q.Encode())
		}
	}
}

// A list whose token is refused must not lose the assets of the same time that stood on the next page.
func TestAssetsGoesOnAfterARefusedToken(t *testing.T) {
	t.Parallel()
	same := "2026-01-01T00:00:00.500Z"
	s := script(t, pageOf("t1", assetJSON("a", same)), scriptedAnswer{status: 400, body: `{"message":"Invalid paginationToken"}`},
		pageOf("t2", assetJSON("a", same)), pageOf("", assetJSON("b", same), assetJSON("c", "2026-01-01T00:00:01Z")))
	ids, err := collect(t, s.client(), AssetFilter{UpdatedAfter: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || strings.Join(ids, " ") != "a a b c" {
		t.Fatalf("got %v, %v", ids, err)
	}
	if q := queries(t, s)[2]; q.Get("updatedAfter") != "2025-12-31T23:59:59.500Z" || q.Has("paginationToken") {
		t.Errorf("goes on with %s", q.Encode())
	}
}

func TestAssetsEndsWhenTokensAreAlwaysRefused(t *testing.T) {
	t.Parallel()
	n := 0
	s := script(t, scriptedAnswer{do: func(w http.ResponseWriter, r *http.Request) {
		if n++; r.URL.Query().Has("paginationToken") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(pageOf("t", assetJSON("a", "2026-01-01T00:00:00Z")).body))
	}})
	_, err := collect(t, s.client(), AssetFilter{})
	if e := failureOf(t, err); e.Kind != KindNotFound || n > 20 {
		t.Errorf("got %v after %d requests", err, n)
	}
}

func TestAssetsErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer scriptedAnswer
		kind   Kind
	}{
		"refused at once":  {scriptedAnswer{status: 400, body: `{}`}, KindInvalid},
		"no list":          {scriptedAnswer{status: 200, body: `{"items":[]}`}, KindUnavailable},
		"an asset without": {pageOf("", `{"updatedAt":"2026-01-01T00:00:00Z"}`), KindUnavailable},
		"no time":          {pageOf("", `{"id":"a","updatedAt":"yesterday"}`), KindUnavailable},
		"no object":        {pageOf("", `7`), KindUnavailable},
		"a token for ever": {pageOf("t"), KindUnavailable},
	} {
		_, err := collect(t, script(t, c.answer).client(), AssetFilter{})
		if e := failureOf(t, err); e.Kind != c.kind || e.Op != opAssets {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAssetsStopsWhenItIsLeft(t *testing.T) {
	t.Parallel()
	s := script(t, pageOf("t", assetJSON("a", "2026-01-01T00:00:00Z"), assetJSON("b", "2026-01-01T00:00:00Z")))
	for range s.client().Assets(t.Context(), AssetFilter{}) {
		break
	}
	if n := len(s.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

const wholeAsset = `{"id":"asset_1","authorId":"u","ownerId":"team","collectionIds":["c1"],"tags":["t1","t2"],
"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-02T03:04:05.678Z","deletedAt":"2026-01-03T00:00:00Z","kind":"3d",
"mimeType":"model/gltf-binary","privacy":"private","source":"generative","status":"pending","description":"A hero",
"url":"https://cdn/x?Signature=secret","originalFileUrl":"https://cdn/y?Signature=secret","originalMimeType":"video/quicktime",
"properties":{"size":12345678901,"width":640,"height":480.0,"duration":1.5,"bones":3},
"metadata":{"seed":"17","prompt":"a hero"},"new":{"field":1}}`

func TestAssetFields(t *testing.T) {
	t.Parallel()
	list, err := script(t, pageOf("", wholeAsset, `{"id":"asset_2","updatedAt":"2026-01-01T00:00:00Z","tags":"odd","properties":[]}`)).
		client().AssetsByID(t.Context(), "", "asset_1", "asset_2")
	if err != nil || len(list) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
	a := list[0]
	if a.ID != "asset_1" || a.AuthorID != "u" || a.OwnerID != "team" || len(a.CollectionIDs) != 1 || len(a.Tags) != 2 ||
		a.UpdatedAt.UnixMilli() != 1767323045678 || a.CreatedAt.IsZero() || a.DeletedAt.IsZero() || a.Kind != "3d" ||
		a.MimeType != "model/gltf-binary" || a.Privacy != "private" || a.Source != "generative" || a.Status != AssetPending ||
		a.Description != "A hero" || a.URL == "" || a.OriginalFileURL == "" || a.OriginalMimeType != "video/quicktime" ||
		a.Properties != (AssetProperties{12345678901, 640, 480, 1.5}) || string(a.Metadata["seed"]) != `"17"` ||
		string(a.Raw) != wholeAsset {
		t.Errorf("got %#v of %s", a.Properties, a.Raw)
	}
	for _, text := range []string{fmt.Sprint(a), fmt.Sprintf("%+v %#v %s %q", a, a, a, a)} {
		if strings.Contains(text, "secret") || !strings.Contains(text, "asset_1") {
			t.Errorf("prints %s", text)
		}
	}
}

func TestAssetsByID(t *testing.T) {
	t.Parallel()
	s := script(t, pageOf(""))
	if list, err := s.client().AssetsByID(t.Context(), "p", "a", "b"); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	if got := s.requests()[0]; got.method != "POST" || got.uri != "/v1/assets/get-bulk?projectId=p" || got.body != `{"assetIds":["a","b"]}` {
		t.Errorf("asked %+v", got)
	}
	_, err := s.client().AssetsByID(t.Context(), "", make([]string, MaxAssetsByID+1)...)
	if e := failureOf(t, err); e.Kind != KindInvalid || len(s.requests()) != 1 {
		t.Errorf("too many: %v", err)
	}
	if list, err := s.client().AssetsByID(t.Context(), ""); err != nil || list != nil || len(s.requests()) != 1 {
		t.Errorf("none: %v, %v", list, err)
	}
}

func TestEstimateArchive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer scriptedAnswer
		cost   float64 // below 0: none
		kind   Kind
	}{
		"269":              {scriptedAnswer{status: 269, body: `{"creativeUnitsCost":2.5,"x":1}`}, 2.5, ""},
		"200":              {scriptedAnswer{status: 200, body: `{"creativeUnitsCost":0}`}, 0, ""},
		"another shape":    {scriptedAnswer{status: 269, body: `{"cost":{"units":3}}`}, -1, ""},
		"a cost in words":  {scriptedAnswer{status: 269, body: `{"creativeUnitsCost":"3"}`}, -1, ""},
		"no JSON":          {scriptedAnswer{status: 269, body: `3`}, -1, KindUnavailable},
		"a job":            {scriptedAnswer{status: 200, body: `{"jobId":"job_1"}`}, -1, KindUnavailable},
		"something else":   {scriptedAnswer{status: 200, body: `{}`}, -1, KindUnavailable},
		"refused":          {scriptedAnswer{status: 402, body: `{}`}, -1, KindInvalid},
		"no such endpoint": {scriptedAnswer{status: 404, body: `{}`}, -1, KindNotFound},
	} {
		s := script(t, c.answer)
		got, err := s.client(func(o *Options) { o.Endpoint = EndpointArchive; o.MaxAttempts = 1 }).EstimateArchive(t.Context(), ArchiveRequest{
			Query: Query{AssetIDs: []string{"a"}}, Options: ArchiveOptions{ArchiveName: "n", PreferOriginal: true},
		})
		r := s.requests()[0]
		if r.uri != "/v1/assets/download?dryRun=true" || r.body != `{"query":{"assetIds":["a"],"inferenceIds":[],"modelIds":[]},`+
			`"options":{"fileNameTemplate":"\u003cid\u003e","archiveName":"n","preferOriginal":true}}` {
			t.Errorf("%s: asked %s %s", name, r.uri, r.body)
		}
		if c.kind != "" {
			if e := failureOf(t, err); e.Kind != c.kind || e.Op != opEstimate {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || string(got.Raw) != c.answer.body || (got.CreativeUnitsCost == nil) != (c.cost < 0) ||
			got.CreativeUnitsCost != nil && *got.CreativeUnitsCost != c.cost {
			t.Errorf("%s: got %s, %v", name, got.Raw, err)
		}
	}
	if _, err := script(t).client().EstimateArchive(t.Context(), ArchiveRequest{}); failureOf(t, err).Kind != KindInvalid {
		t.Error(err)
	}
}

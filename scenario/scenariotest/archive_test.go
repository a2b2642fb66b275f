package scenariotest_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

func zipNames(t *testing.T, whole []byte) []string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	return names
}

func TestArchiveIsAZIPOfPNGs(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.AssetSize = 50_000 })
	url, whole := s.archive("asset_1", "asset_2", "asset_1")
	got := s.download(url)
	if got.StatusCode != 200 || !bytes.Equal(got.body, whole) || got.ContentLength != int64(len(whole)) {
		t.Fatalf("%d, %d bytes, want %d", got.StatusCode, len(got.body), len(whole))
	}
	if got.Header.Get("Content-Type") != "application/zip" || got.Header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("%v", got.Header)
	}
	r, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 2 {
		t.Errorf("%d files: each asset comes once", len(r.File))
	}
	for _, f := range r.File {
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(body) // compares the checksum at the end
		if err != nil || len(data) != 50_000 {
			t.Errorf("%s: %d bytes, %v", f.Name, len(data), err)
		}
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil || picture.Bounds().Dx() != 64 || picture.Bounds().Dy() != 64 {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

func TestEqualRequestsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	first, second := newStandIn(t), newStandIn(t)
	url, whole := first.archive("asset_1", "asset_2")
	otherURL, other := second.archive("asset_1", "asset_2")
	_, different := second.archive("asset_1", "asset_3")
	if !bytes.Equal(whole, other) || bytes.Equal(whole, different) {
		t.Error("the bytes do not follow from the request alone")
	}
	if a, b := first.download(url).Header.Get("ETag"), second.download(otherURL).Header.Get("ETag"); a != b || !strings.HasPrefix(a, `"`) {
		t.Errorf("ETags %s and %s", a, b)
	}
}

func TestNamesInArchives(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.AssetsPerSource, o.JobDuration = 2, -1 })
	const byID = `"assetIds":["asset_a","asset_b"]`
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		name, query, options string
		want                 []string
	}{
		{"grouped", byID, `{}`, []string{"pixel-forge/asset_a.png", "toon-maker/asset_b.png"}},
		{"flat", byID, `{"flat":true}`, []string{"asset_a.png", "asset_b.png"}},
		{"template", byID, `{"flat":true,"fileNameTemplate":"<num>-<id>"}`, []string{"0-asset_a.png", "1-asset_b.png"}},
		{"folders by template", byID, `{"fileNameTemplate":"all/<num>/<assetId>"}`, []string{"all/0/asset_a.png", "all/1/asset_b.png"}},
		{"folders, yet flat", byID, `{"flat":true,"fileNameTemplate":"all/<assetId>"}`, []string{"asset_a.png", "asset_b.png"}},
		{"a token twice", byID, `{"flat":true,"fileNameTemplate":"<num>-<id>_<num>"}`, []string{"0-asset_a.png", "1-asset_b.png"}},
		{"made unique", byID, `{"flat":true,"fileNameTemplate":"same"}`, []string{"same.png", "same-2.png"}},
		{"unknown token", byID, `{"flat":true,"fileNameTemplate":"<what>-<num>"}`, []string{"_what_-0.png", "_what_-1.png"}},
		{"escapes", byID, `{"fileNameTemplate":"../../<num>\\..//c:\u0000<id>"}`,
			[]string{"_/_/0_/_/c_asset_a.png", "_/_/1_/_/c_asset_b.png"}},
		{"too long", `"assetIds":["asset_a"]`, `{"fileNameTemplate":"` + long + "/" + long + `"}`,
			[]string{long[:64] + "/" + long[:124] + ".png"}},
		{"differ in case only", `"assetIds":["asset_B","asset_b"]`, `{"flat":true}`, []string{"asset_B.png", "asset_b-2.png"}},
		{"of an inference and a model", `"inferenceIds":["inf/1"],"modelIds":["m"]`, `{}`, []string{
			"inf_1/asset_inf_1_0000.png", "inf_1/asset_inf_1_0001.png", "m/asset_m_0000.png", "m/asset_m_0001.png"}},
		{"all placeholders", `"assetIds":["asset_a"]`, `{"flat":true,"fileNameTemplate":"<prompt>-<generator>-<seed>-<description>"}`,
			[]string{"pixel_art_wizard-pixel-forge-2616147132-wizard.png"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := s.launch(`{"query":{` + test.query + `},"options":` + test.options + `}`)
			if got := zipNames(t, s.content(id)); !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, whole := s.archive("asset_1", "asset_2")
	size := len(whole)
	for _, test := range []struct {
		name, header string
		from, to     int // of the bytes; to is exclusive
		status       int
	}{
		{"first byte", "bytes=0-0", 0, 1, 206},
		{"middle", "bytes=100-299", 100, 300, 206},
		{"to the end", "bytes=100-", 100, size, 206},
		{"suffix", "bytes=-7", size - 7, size, 206},
		{"past the end", "bytes=100-99999999", 100, size, 206},
		{"all", "bytes=0-", 0, size, 206},
		{"begins at the end", fmt.Sprintf("bytes=%d-", size), 0, 0, 416},
		{"several: all", "bytes=0-1,5-6", 0, size, 200},
		{"none", "", 0, size, 200},
	} {
		a := s.download(url, "Range: "+test.header)
		if a.StatusCode != test.status {
			t.Errorf("%s: %d", test.name, a.StatusCode)
			continue
		}
		switch contentRange := a.Header.Get("Content-Range"); test.status {
		case 416:
			if contentRange != fmt.Sprintf("bytes */%d", size) {
				t.Errorf("%s: %s", test.name, contentRange)
			}
			continue
		case 206:
			if contentRange != fmt.Sprintf("bytes %d-%d/%d", test.from, test.to-1, size) {
				t.Errorf("%s: %s", test.name, contentRange)
			}
		}
		if !bytes.Equal(a.body, whole[test.from:test.to]) {
			t.Errorf("%s: other bytes", test.name)
		}
	}
}

func TestRangesOneAfterTheOtherAreTheWhole(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, whole := s.archive("asset_1", "asset_2", "asset_3")
	var joined []byte
	const step = 777
	for from := 0; from < len(whole); from += step {
		joined = append(joined, s.download(url, fmt.Sprintf("Range: bytes=%d-%d", from, from+step-1)).body...)
	}
	if !bytes.Equal(joined, whole) {
		t.Error("they are not")
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, _ := s.archive("asset_1")
	head := s.download(url, "Range: bytes=0-0").Header
	etag, date := head.Get("ETag"), head.Get("Last-Modified")
	for _, test := range []struct {
		name, header string
		status       int
	}{
		{"If-Range, the ETag", "If-Range: " + etag, 206},
		{"If-Range, another ETag", `If-Range: "other"`, 200},
		{"If-Range, a weak ETag", "If-Range: W/" + etag, 200},
		{"If-Range, the date", "If-Range: " + date, 206},
		{"If-Range, another date", "If-Range: Mon, 02 Jan 2006 15:04:05 GMT", 200},
		{"If-Match, another", `If-Match: "other"`, 412},
		{"If-None-Match", "If-None-Match: " + etag, 304},
	} {
		if a := s.download(url, "Range: bytes=0-9", test.header); a.StatusCode != test.status {
			t.Errorf("%s: %d, want %d", test.name, a.StatusCode, test.status)
		}
	}
}

func TestSignedURLs(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.URLLifetime = 10 * time.Second })
	id := s.launch(oneAsset)
	s.advance(100 * time.Second)
	archiveURL := func() string {
		return s.call("GET", "/v1/jobs/"+id, "").job(t)["metadata"].(map[string]any)["archiveUrl"].(string)
	}
	first := archiveURL()
	if again := archiveURL(); again == first {
		t.Error("two polls gave the same URL")
	}
	tampered := func(key, value string) string {
		u, err := url.Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(key, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	unsigned, _, _ := strings.Cut(first, "?")
	s.advance(9 * time.Second)
	for _, test := range []struct{ name, url, code, message string }{
		{"unsigned", unsigned, "AccessDenied", "signature"},
		{"a later expiry", tampered("Expires", "9999999999"), "AccessDenied", "signature"},
		{"another signature", tampered("Signature", strings.Repeat("0", 64)), "AccessDenied", "signature"},
		{"another job's", strings.Replace(first, id, s.launch(oneAsset), 1), "AccessDenied", "signature"},
	} {
		checkXML(t, test.name, s.download(test.url), test.code, test.message)
	}
	if a := s.download(first); a.StatusCode != 200 {
		t.Errorf("a second before its end: %d", a.StatusCode)
	}
	s.advance(time.Second)
	checkXML(t, "expired", s.download(first), "AccessDenied", "Request has expired")
	if a := s.download(archiveURL()); a.StatusCode != 200 {
		t.Errorf("a fresh one: %d", a.StatusCode)
	}
}

func checkXML(t *testing.T, name string, a answer, code, message string) {
	t.Helper()
	var e struct{ Code, Message string }
	if err := xml.Unmarshal(a.body, &e); err != nil || a.StatusCode != 403 || e.Code != code || !strings.Contains(e.Message, message) ||
		a.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("%s: %d %.200q (%v)", name, a.StatusCode, a.body, err)
	}
}

func TestMethodsOfArchives(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	url, whole := s.archive("asset_1")
	if a := s.do(s.request("HEAD", url, "")); a.StatusCode != 200 || a.ContentLength != int64(len(whole)) {
		t.Errorf("HEAD: %d, %d", a.StatusCode, a.ContentLength)
	}
	if a := s.do(s.request("PUT", url, "x")); a.StatusCode != 405 {
		t.Errorf("PUT: %d", a.StatusCode)
	}
}

// An archive of 20 GiB is served from its middle at once.
func TestLargeArchive(t *testing.T) {
	t.Parallel()
	s := newStandIn(t, func(o *scenariotest.Options) { o.AssetSize = 5 << 30 })
	id := s.AddArchive("asset_1", "asset_2", "asset_3", "asset_4")
	file, err := s.ArchiveFile(id)
	if err != nil {
		t.Fatal(err)
	}
	if file.Size() < 20<<30 || file.Files != 4 {
		t.Errorf("%+v", file)
	}
	const from, n = 11 << 30, 100_000
	a := s.download(s.url(id), fmt.Sprintf("Range: bytes=%d-%d", int64(from), int64(from+n-1)), "If-Range: "+file.ETag)
	want := make([]byte, n)
	if _, err := file.ReadAt(want, from); err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != 206 || !bytes.Equal(a.body, want) {
		t.Errorf("%d, %d bytes", a.StatusCode, len(a.body))
	}
	if r, err := zip.NewReader(file, file.Size()); err != nil || len(r.File) != 4 {
		t.Errorf("%v", err)
	}
}

func TestUnknownJobs(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	if _, err := s.ArchiveFile("job_none"); err == nil {
		t.Error("ArchiveFile: no error")
	}
	if _, err := s.ArchiveURL("job_none"); err == nil {
		t.Error("ArchiveURL: no error")
	}
}

func TestManyArchivesTakeTurns(t *testing.T) {
	t.Parallel()
	s := newStandIn(t)
	var ids []string
	for i := range 20 { // more than are kept
		ids = append(ids, s.AddArchive(fmt.Sprintf("asset_%d", i)))
		s.content(ids[i])
	}
	for i, id := range ids {
		if got := zipNames(t, s.download(s.url(id)).body); !strings.HasSuffix(got[0], fmt.Sprintf("/asset_%d.png", i)) {
			t.Errorf("archive %d has %v", i, got)
		}
	}
}

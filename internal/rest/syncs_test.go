package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// syncsFixture is the API over a real bucket with those files.
func syncsFixture(t *testing.T, files map[string]string) (*fixture, bucket.Bucket) {
	t.Helper()
	storage := s3test.Start(t)
	b := bucket.Bucket{S3: storage.Client, Name: storage.Bucket}
	for key, content := range files {
		if _, err := b.Put(t.Context(), key, []byte(content), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return newFixture(t, func(o *Options) { o.Bucket = b }), b
}

func TestSyncs(t *testing.T) {
	t.Parallel()
	f, _ := syncsFixture(t, nil)
	if a := f.do(t, "GET", "/syncs", ""); a.status != 200 || strings.TrimSpace(a.raw) != `{"syncs":[],"links":{}}` {
		t.Errorf("none: got %d %s", a.status, a.raw)
	}
	f, _ = syncsFixture(t, map[string]string{
		"syncs/heroes.json": `{"select":{"collectionId":"c"},"tags":{"a":"b"}}`,
		"syncs/heroes.status.json": `{"name":"heroes","status":"succeeded","execution":"arn:secret","startedAt":"2026-01-02T15:04:05Z",` +
			`"endedAt":"2026-01-02T15:05:05Z","cursor":"2026-01-02T15:00:00Z","counts":{"listed":7,"fetched":5,"failed":1},` +
			`"failed":[{"assetId":"a","error":"AssetFailed","cause":"so","attempts":3}]}`,
		"syncs/heroes/failed.json": `[]`, "syncs/heroes/more.json": `{}`, "syncs/new.json": `{"destination":{"prefix":"x/y"}}`,
		"syncs/wrong.json": `{"select":{"colour":1}}`, "syncs/wrong.error.json": `{"error":"RequestInvalid","cause":"before"}`,
		"syncs/wrong.status.json":  `{"status":"failed","error":"Unauthorized","cause":"before"}`,
		"syncs/orphan.status.json": `{"status":"running"}`, "other/y.json": `{}`,
	})
	const counts = `"bytes":0,"rewritten":0,`
	want := `{"syncs":[{"name":"heroes","select":{"collectionId":"c"},"destination":{"prefix":"heroes/"},"options":{},"tags":{"a":"b"},` +
		`"status":"succeeded","startedAt":"2026-01-02T15:04:05Z","endedAt":"2026-01-02T15:05:05Z","cursor":"2026-01-02T15:00:00Z",` +
		`"counts":{"listed":7,"fetched":5,` + counts + `"failed":1,"pending":0},"failed":[{"assetId":"a","error":"AssetFailed","cause":"so"}]},` +
		`{"name":"new","select":{},"destination":{"prefix":"x/y/"},"options":{},"status":"new"},` +
		`{"name":"wrong","status":"failed","counts":{"listed":0,"fetched":0,` + counts + `"failed":0,"pending":0},"error":"RequestInvalid",` +
		`"cause":"the sync has fields that do not exist: select.colour; remove them or correct their spelling"}],"links":{}}`
	if a := f.do(t, "GET", "/syncs", ""); a.status != 200 || strings.TrimSpace(a.raw) != want {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	for _, query := range []string{"limit=101", "limit=0", "cursor=../x", "cursor=", "status=failed"} {
		f.do(t, "GET", "/syncs?"+query, "").problem(t, 400, errParameterInvalid, "")
	}
	f.do(t, "DELETE", "/syncs", "").problem(t, 405, errMethodNotAllowed, "GET")
}

func TestSyncsInPages(t *testing.T) {
	t.Parallel()
	files := map[string]string{"syncs/b/failed.json": "[]"}
	for _, name := range []string{"a", "b", "b-1", "b0", "c"} {
		files["syncs/"+name+".json"] = "{}"
	}
	f, _ := syncsFixture(t, files)
	var names []string
	for next := "/syncs?limit=2"; next != ""; {
		a := f.do(t, "GET", next, "")
		if a.status != 200 {
			t.Fatalf("%s: got %d %s", next, a.status, a.raw)
		}
		for _, s := range a.body["syncs"].([]any) {
			names = append(names, s.(map[string]any)["name"].(string))
		}
		next, _ = a.body["links"].(map[string]any)["next"].(string)
		if next != "" && a.header.Get("Link") != "<"+next+`>; rel="next"` {
			t.Errorf("Link is %q", a.header.Get("Link"))
		}
	}
	if fmt.Sprint(names) != "[a b-1 b b0 c]" {
		t.Errorf("in pages: %v", names)
	}
}

// Whatever is in the files: the list is answered, small, and whole.
func TestSyncsWithHostileFiles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\\u0001", 20_000)
	contents := []string{
		"", "null", "[]", `"x"`, "<script>", "{", strings.Repeat("[", 100_000), "\xff\xfe", `{"status":1}`, `{"status":"<b>"}`,
		`{"status":"failed","error":"` + "\xff" + long + `","cause":"` + long + `","failed":[{"assetId":"` + long + `"}]}`,
		`{"status":"failed","failed":[` + strings.Repeat(`{"assetId":"a"},`, 9999) + `null]}`, `{"status":"failed","failed":{}}`,
		`{"status":"running","startedAt":"0000-01-01T00:00:00+23:59","cursor":"9999-12-31T23:59:59-23:59"}`,
		`{"status":"running","startedAt":"10000-01-01T00:00:00Z"}`, `{"status":"running","counts":{"listed":1e400}}`,
		`{"status":"running","counts":{"listed":-9223372036854775808}}`, `{"status":"failed","cause":"` + strings.Repeat("x", 2<<20) + `"}`,
		`{"select":{"types":["` + strings.Repeat("x", 100_000) + `"]}}`, `{"select":{"types":["\u0000\ud800"]}}`,
		`{"destination":{"prefix":"../x"}}`, `{"destination":{"prefix":"syncs/"}}`, `{"select":{"createdAfter":"0000-01-01T00:00:00+23:59"}}`,
	}
	files := map[string]string{}
	for i, content := range contents {
		files[fmt.Sprintf("syncs/definition%d.json", i)] = content
		files[fmt.Sprintf("syncs/status%d.json", i)], files[fmt.Sprintf("syncs/status%d.status.json", i)] = "{}", content
	}
	f, _ := syncsFixture(t, files)
	a := f.do(t, "GET", "/syncs?limit=100", "")
	if a.status != 200 || !json.Valid([]byte(a.raw)) || !utf8.ValidString(a.raw) || len(a.raw) > 100_000 {
		t.Fatalf("got %d, %d bytes: %.300s", a.status, len(a.raw), a.raw)
	}
	list := a.body["syncs"].([]any)
	if len(list) != 2*len(contents) {
		t.Errorf("%d syncs of %d", len(list), 2*len(contents))
	}
	for _, s := range list {
		status := s.(map[string]any)["status"]
		if status != "new" && status != "running" && status != "failed" {
			t.Errorf("status %v", status)
		}
	}
}

func TestSyncsOfABucketThatFails(t *testing.T) {
	t.Parallel()
	storage := s3test.Start(t)
	f := newFixture(t, func(o *Options) { o.Bucket = bucket.Bucket{S3: storage.Client, Name: "no-such-bucket"} })
	f.do(t, "GET", "/syncs", "").problem(t, 500, errMisconfigured, "bucket")
	f.do(t, "POST", "/syncs", `{"name":"heroes"}`).problem(t, 500, errMisconfigured, "bucket")
}

func TestCreateSync(t *testing.T) {
	t.Parallel()
	f, b := syncsFixture(t, nil)
	const body = `{"name":"heroes","select":{"collectionId":"c1"},"destination":{"prefix":"heroes/"}}`
	for range 2 { // the second one comes after a lost answer
		if a := f.do(t, "POST", "/syncs", body); a.status != 201 || strings.TrimSpace(a.raw) !=
			`{"name":"heroes","select":{"collectionId":"c1"},"destination":{"prefix":"heroes/"},"options":{},"status":"new"}` {
			t.Errorf("got %d %s", a.status, a.raw)
		}
	}
	content, _, err := b.Read(t.Context(), "syncs/heroes.json", 1000, bucket.GetOptions{})
	if want := `{"destination":{"prefix":"heroes/"},"select":{"collectionId":"c1"}}`; err != nil || string(content) != want {
		t.Errorf("the definition is %s, %v", content, err)
	}
	f.do(t, "POST", "/syncs", `{"name":"heroes","select":{}}`).problem(t, 409, errSyncExists, "syncs/heroes.json")
	if again, _, err := b.Read(t.Context(), "syncs/heroes.json", 1000, bucket.GetOptions{}); string(again) != string(content) {
		t.Errorf("the definition became %s, %v", again, err)
	}
	for body, says := range map[string]string{
		`{"select":{}}`: `"name"`, `{"name":"../x","select":{}}`: `"name"`, `{"name":7}`: `"name"`, `[]`: "JSON object", `null`: "JSON object",
		`{"name":"a","colour":1}`: "colour", `{"name":"a","select":{"collectionId":"a b"}}`: "no ID", `{"name":"a","name":"b"}`: "twice",
		`{"name":"a","destination":{"prefix":"syncs/x"}}`: "under syncs/", `{"name":"a","tags":{"` + strings.Repeat("x", 2<<20) + `":""}}`: "bytes",
	} {
		f.do(t, "POST", "/syncs", body).problem(t, 422, errRequestInvalid, says)
	}
	f.do(t, "POST", "/syncs", `{"name":`).problem(t, 400, errRequestInvalid, "")
	if a := f.do(t, "POST", "/syncs?replace=true", `{"name":"heroes"}`); a.status != 200 || !strings.Contains(a.raw, `"select":{}`) {
		t.Errorf("replaced: got %d %s", a.status, a.raw)
	}
	if replaced, _, err := b.Read(t.Context(), "syncs/heroes.json", 1000, bucket.GetOptions{}); string(replaced) != `{}` {
		t.Errorf("the definition became %s, %v", replaced, err)
	}
	f.do(t, "POST", "/syncs?replace=true", `{"name":"heroes","colour":1}`).problem(t, 422, errRequestInvalid, "colour")
	f.do(t, "POST", "/syncs?replace=1", body).problem(t, 400, errParameterInvalid, "replace")
	f.do(t, "POST", "/syncs?x=1", body).problem(t, 400, errParameterInvalid, "x")
	n := 0
	for _, err := range b.List(t.Context(), "", "") {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("%d objects are in the bucket", n)
	}
}

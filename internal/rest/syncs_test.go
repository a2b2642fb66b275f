package rest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

func TestSyncs(t *testing.T) {
	t.Parallel()
	storage := s3test.Start(t)
	b := bucket.Bucket{S3: storage.Client, Name: storage.Bucket}
	f := newFixture(t, func(o *Options) { o.Files, o.LinkLifetime = b, time.Minute })
	if a := f.do(t, "GET", "/syncs", ""); a.status != 200 || strings.TrimSpace(a.raw) != `{"syncs":[],"links":{}}` {
		t.Errorf("none: got %d %s", a.status, a.raw)
	}
	for key, content := range map[string]string{
		"syncs/heroes.json": `{}`, "syncs/heroes.status.json": `{"name":"heroes","status":"succeeded","execution":"arn:secret","startedAt":"2026-01-02T15:04:05Z",` +
			`"endedAt":"2026-01-02T15:05:05Z","cursor":"2026-01-02T15:00:00Z","counts":{"listed":7,"fetched":5,"failed":1},"failed":[{"assetId":"a"}]}`,
		"syncs/heroes/failed.json": `[]`, "syncs/new.json": `{}`, "syncs/odd.json": `{}`, "syncs/odd.status.json": `<script>`,
		"syncs/wrong.json": `{}`, "syncs/wrong.error.json": `{"error":"RequestInvalid","cause":"select.colour"}`,
		"syncs/wrong.status.json":  `{"status":"failed","error":"Unauthorized","cause":"before"}`,
		"syncs/orphan.status.json": `{"status":"running"}`, "syncs/../x.json": `{}`, "other/y.json": `{}`, "syncs/huge.json": `{}`,
		"syncs/huge.status.json": `{"status":"` + strings.Repeat("x", 2<<20) + `"}`,
	} {
		if _, err := b.Put(t.Context(), key, []byte(content), bucket.PutOptions{}); err != nil && !strings.Contains(key, "..") {
			t.Fatal(err)
		}
	}
	want := `{"syncs":[{"name":"heroes","status":"succeeded","startedAt":"2026-01-02T15:04:05Z","endedAt":"2026-01-02T15:05:05Z",` +
		`"cursor":"2026-01-02T15:00:00Z","counts":{"listed":7,"fetched":5,"bytes":0,"rewritten":0,"failed":1,"pending":0}},{"name":"huge","status":"new"},` +
		`{"name":"new","status":"new"},{"name":"odd","status":"new"},{"name":"wrong","status":"failed","counts":{"listed":0,"fetched":0,` +
		`"bytes":0,"rewritten":0,"failed":0,"pending":0},"error":"RequestInvalid","cause":"select.colour"}],"links":{}}`
	if a := f.do(t, "GET", "/syncs", ""); a.status != 200 || strings.TrimSpace(a.raw) != want {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	var names []any
	for next := "/syncs?limit=2"; next != ""; {
		a := f.do(t, "GET", next, "")
		if a.status != 200 {
			t.Fatalf("%s: got %d %s", next, a.status, a.raw)
		}
		for _, s := range a.body["syncs"].([]any) {
			names = append(names, s.(map[string]any)["name"])
		}
		next, _ = a.body["links"].(map[string]any)["next"].(string)
	}
	if fmt.Sprint(names) != "[heroes huge new odd wrong]" {
		t.Errorf("in pages: %v", names)
	}
	for _, query := range []string{"limit=101", "cursor=../x", "cursor=", "status=failed"} {
		f.do(t, "GET", "/syncs?"+query, "").problem(t, 400, errParameterInvalid, "")
	}
	f.do(t, "DELETE", "/syncs", "").problem(t, 405, errMethodNotAllowed, "GET")
}

func TestSyncsOfABucketThatFails(t *testing.T) {
	t.Parallel()
	storage := s3test.Start(t)
	f := newFixture(t, func(o *Options) { o.Files = bucket.Bucket{S3: storage.Client, Name: "no-such-bucket"} })
	f.do(t, "GET", "/syncs", "").problem(t, 500, errMisconfigured, "bucket")
}

func TestCreateSync(t *testing.T) {
	t.Parallel()
	storage := s3test.Start(t)
	b := bucket.Bucket{S3: storage.Client, Name: storage.Bucket}
	f := newFixture(t, func(o *Options) { o.Files = b })
	const body = `{"name":"heroes","select":{"collectionId":"c1"},"destination":{"prefix":"heroes/"}}`
	for range 2 { // the second one comes after a lost answer
		if a := f.do(t, "POST", "/syncs", body); a.status != 201 || strings.TrimSpace(a.raw) != `{"name":"heroes","status":"new"}` {
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

package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// unpackedFixture is an API over a real bucket with an unpacked archive of n files.
func unpackedFixture(t *testing.T, lines ...string) (f *fixture, storage *s3test.Server, id string) {
	t.Helper()
	storage = s3test.Start(t)
	b := bucket.Bucket{S3: storage.Client, Signer: s3.NewPresignClient(storage.Client), Name: storage.Bucket}
	f = newFixture(t, func(o *Options) { o.Bucket, o.LinkLifetime = b, time.Minute })
	content := strings.Join(lines, "\n")
	if content != "" {
		content += "\n"
	}
	if _, err := b.Put(t.Context(), "c/heroes/contents.jsonl", []byte(content), bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	id = f.archive(t)
	f.sfn.Finish(t, id, "SUCCEEDED", fmt.Sprintf(`{"bucket":%q,"key":"c/heroes.zip","size":9,"entries":3,"unpacked":{"prefix":"c/heroes/",`+
		`"objects":%d,"bytes":9,"contents":"c/heroes/contents.jsonl"}}`, storage.Bucket, len(lines)))
	return f, storage, id
}

func TestFilesInPages(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 451 {
		lines = append(lines, fmt.Sprintf(`{"name":"é %d.png","key":"c/heroes/é %d.png","size":%d,"contentType":"image/png","crc32":"00000000","assetId":"asset_%d"}`, i, i, i, i))
	}
	f, _, id := unpackedFixture(t, lines...)
	var got []any
	pages := 0
	for next := "/archives/" + id + "/files?limit=200"; next != ""; pages++ {
		a := f.do(t, "GET", next, "")
		if a.status != 200 || a.body["prefix"] != "c/heroes/" {
			t.Fatalf("got %d %.300s", a.status, a.raw)
		}
		got = append(got, a.body["files"].([]any)...)
		next, _ = a.body["links"].(map[string]any)["next"].(string)
		if cursor, _ := a.body["cursor"].(string); (cursor != "") != (next != "") || next != "" && !strings.Contains(a.header.Get("Link"), cursor) {
			t.Errorf("cursor %q, next %q, header %q", cursor, next, a.header.Get("Link"))
		}
	}
	if pages != 3 || len(got) != 451 {
		t.Fatalf("%d files on %d pages", len(got), pages)
	}
	for i, file := range got {
		v := file.(map[string]any)
		if v["name"] != fmt.Sprintf("é %d.png", i) || v["size"] != float64(i) || v["assetId"] != fmt.Sprint("asset_", i) || v["link"].(map[string]any)["fileName"] != v["name"] {
			t.Fatalf("file %d is %v", i, v)
		}
	}
}

// A link gives the file, and nothing that a browser would run.
func TestLinksOfFiles(t *testing.T) {
	t.Parallel()
	var lines []string
	types := []string{"image/png", "image/svg+xml", "video/mp4", "audio/mpeg", "text/html", "application/xhtml+xml", "model/gltf-binary",
		"image/x; charset=utf-7", "image/png\r\nX-Evil: 1", ""}
	for i, kind := range types {
		name := fmt.Sprintf(`../"x";filename=evil.html %d`, i)
		lines = append(lines, fmt.Sprintf(`{"name":%q,"key":"c/heroes/%d","size":4,"contentType":%q,"link":{"url":"https://evil.example/"}}`, name, i, kind))
	}
	lines = append(lines, `{"name":"secret","key":"other/secret","size":4,"contentType":"image/png","link":{"url":"https://evil.example/"}}`)
	f, storage, id := unpackedFixture(t, lines...)
	a := f.do(t, "GET", "/archives/"+id+"/files", "")
	if a.status != 200 || strings.Contains(a.raw, "evil.example") {
		t.Fatalf("got %d %s", a.status, a.raw)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: storage.TLS}}
	for i, file := range a.body["files"].([]any) {
		link, ok := file.(map[string]any)["link"].(map[string]any)
		if i == len(types) {
			if ok {
				t.Errorf("there is a link out of the archive's prefix: %v", link)
			}
			continue
		}
		key := fmt.Sprint("c/heroes/", i)
		if _, err := storage.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &storage.Bucket, Key: &key, Body: strings.NewReader("data")}); err != nil {
			t.Fatal(err)
		}
		answer, err := client.Get(link["url"].(string))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		want := "application/octet-stream"
		if i < 4 {
			want = types[i]
		}
		if answer.StatusCode != 200 || string(body) != "data" || answer.Header.Get("Content-Type") != want || answer.Header.Get("X-Evil") != "" ||
			!strings.HasPrefix(answer.Header.Get("Content-Disposition"), "attachment; filename=") {
			t.Errorf("%q: got %d %q, %v", types[i], answer.StatusCode, body, answer.Header)
		}
		expires, err := time.Parse(time.RFC3339, link["expiresAt"].(string))
		if left := time.Until(expires); err != nil || left > time.Minute || left < time.Second {
			t.Errorf("it lasts %s more, %v", left, err)
		}
	}
}

func TestFilesThatCannotBeListed(t *testing.T) {
	t.Parallel()
	f, storage, id := unpackedFixture(t, `{"name":"a","key":"c/heroes/a"}`, `{"name":"b","key":"c/heroes/b"}`)
	running, zipped, batch := f.archive(t), f.archive(t), f.batch(t)
	f.sfn.Finish(t, zipped, "SUCCEEDED", `{"bucket":"b","key":"k.zip"}`)
	f.do(t, "GET", "/archives/"+running+"/files", "").problem(t, 404, errNotFound, "not finished")
	f.do(t, "GET", "/archives/"+zipped+"/files", "").problem(t, 404, errNotFound, "was not unpacked")
	f.do(t, "GET", "/archives/"+batch+"/files", "").problem(t, 404, errNotFound, "not finished")
	f.do(t, "GET", "/archives/unknown/files", "").problem(t, 404, errNotFound, "no archive")
	f.do(t, "GET", "/archives/"+id+"/files/x", "").problem(t, 404, errNotFound, "nothing at this path")
	f.do(t, "POST", "/archives/"+id+"/files", "{}").problem(t, 405, errMethodNotAllowed, "GET")
	for _, query := range []string{"limit=0", "limit=201", "limit=x", "cursor=x", "cursor=%25", "cursor=", "a=1"} {
		f.do(t, "GET", "/archives/"+id+"/files?"+query, "").problem(t, 400, errParameterInvalid, "")
	}
	a := f.do(t, "GET", "/archives/"+id+"/files?limit=1", "")
	cursor := a.body["cursor"].(string)
	at, err := readFilesCursor(map[string]string{"cursor": cursor})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []filesCursor{{at.etag, at.offset - 3}, {at.etag, 10_000}, {`"other"`, at.offset}, {"\r\n", at.offset}} {
		f.do(t, "GET", "/archives/"+id+"/files?cursor="+url.QueryEscape(wrong.String()), "").problem(t, 400, errParameterInvalid, "begin again")
	}
	key := "c/heroes/contents.jsonl"
	if _, err := storage.Client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &storage.Bucket, Key: &key}); err != nil {
		t.Fatal(err)
	}
	f.do(t, "GET", "/archives/"+id+"/files", "").problem(t, 404, errNotFound, "has been removed")
}

package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/scenario-archive/scenario-archive/internal/rest/page"
)

// A thousand assets are asked for and unpacked on the real system, with the keyboard, and all of them are there to see.
func TestUnpackedArchive(t *testing.T) {
	url := up(t)
	ctx, heard := open(t)
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("asset_%04d", i))
	}
	do(t, ctx, "open", chromedp.Navigate(url+"/"), chromedp.WaitVisible("#none"), write(strings.Join(ids, " ")))
	tabTo(t, ctx, "unpack")
	do(t, ctx, "unpack", chromedp.KeyEvent(" "))
	tabTo(t, ctx, "start")
	do(t, ctx, "start", chromedp.KeyEvent(kb.Enter), until(`!document.getElementById("files").hidden && document.images.length > 0`))
	// Scrolling to the end loads all of them.
	do(t, ctx, "scroll", until(`(() => { document.getElementById("more").scrollIntoView(); scrollTo(0, document.body.scrollHeight);
		return document.getElementById("files-title").textContent === "Files: 1000"; })()`))
	var pictures int
	var text string
	do(t, ctx, "pictures", chromedp.Evaluate(`document.querySelectorAll("#pictures img[loading=lazy]").length`, &pictures),
		chromedp.Evaluate(`document.getElementById("facts").textContent`, &text))
	if pictures != 1000 || !strings.Contains(text, "Files1000") || !strings.Contains(text, "Unpackeds3://") {
		t.Errorf("%d pictures; %s", pictures, text)
	}
	screenshot(t, ctx, "unpacked")
	heard.none(t)
}

// gallery is an API with one unpacked archive: pictures, videos and others, some with hostile names.
type gallery struct {
	files    int
	pictures atomic.Int64 // that were asked for
	answers  atomic.Int64 // pages of the list
}

const hostileName = `<img src=x onerror=alert(1)>"'.png`

func (g *gallery) file(i int) map[string]any {
	name, kind := fmt.Sprintf("folder/picture %d.png", i), "image/png"
	switch {
	case i == 1:
		name = hostileName
	case i == 2:
		name, kind = "film.mp4", "video/mp4"
	case i == 3:
		name, kind = "stage.glb", "model/gltf-binary"
	case i == 4:
		name, kind = "</script><script>alert(1)</script>.html", "text/html"
	}
	f := map[string]any{"name": name, "key": "a/" + name, "size": 2048, "contentType": kind,
		"link": map[string]any{"url": fmt.Sprintf("/objects/%d", i), "expiresAt": "2030-01-01T00:00:00Z", "fileName": name}}
	if i == 5 {
		f["link"] = map[string]any{"url": "javascript:alert(1)", "expiresAt": "2030-01-01T00:00:00Z", "fileName": name}
	}
	return f
}

func (g *gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const archive = `{"id":"x","status":"succeeded","startedAt":"2026-01-02T15:04:06Z","stoppedAt":"2026-01-02T15:04:08Z","links":{"self":"/archives/x"}`
	switch path := r.URL.Path; {
	case path == "/archives":
		fmt.Fprint(w, `{"archives":[`+archive+`}],"links":{}}`)
	case path == "/syncs":
		fmt.Fprint(w, `{"syncs":[{"name":"<b>heroes</b>","select":{"modelId":"<i>m</i>"},"destination":{"prefix":"a/"},"status":"toString","counts":{"fetched":1,"rewritten":2,"failed":3},`+
			`"failed":[{"assetId":"<u>a</u>","error":"AssetFailed","cause":"so"}],`+
			`"error":"<i>Odd</i>","cause":"</script><script>alert(1)</script>"}],"links":{}}`)
	case path == "/archives/x":
		fmt.Fprint(w, archive+`,"output":{"bucket":"b","key":"a.zip","size":9,"entries":5,"requested":7,"missing":{"count":2,"assetIds":["asset_<b>1</b>","asset_2"]},`+
			`"unpacked":{"prefix":"a/","objects":1,"bytes":9,"contents":"a/contents.jsonl"}}}`)
	case path == "/archives/x/files":
		g.answers.Add(1)
		from, most := 0, 0
		_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &from)
		_, _ = fmt.Sscan(r.URL.Query().Get("limit"), &most)
		answer := map[string]any{"prefix": "a/", "links": map[string]any{}}
		var files []any
		for i := from; i < min(from+most, g.files); i++ {
			files = append(files, g.file(i))
		}
		answer["files"] = files
		if from+most < g.files {
			answer["cursor"] = fmt.Sprint(from + most)
		}
		_ = json.NewEncoder(w).Encode(answer)
	case strings.HasPrefix(path, "/objects/"):
		g.pictures.Add(1)
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Content-Disposition", "attachment")
		_, _ = w.Write(blue)
	default:
		http.NotFound(w, r)
	}
}

var blue = func() []byte {
	i := image.NewRGBA(image.Rect(0, 0, 32, 24))
	for x := range 32 {
		i.Set(x, 12, color.RGBA{B: 200, A: 255})
	}
	var b bytes.Buffer
	_ = png.Encode(&b, i)
	return b.Bytes()
}()

func TestGallery(t *testing.T) {
	g := &gallery{files: 1000}
	server := httptest.NewServer(page.Handler(g))
	t.Cleanup(server.Close)
	ctx, heard := open(t)
	do(t, ctx, "open", chromedp.Navigate(server.URL+"/#x"), until(`document.images.length > 100 && document.images[0].naturalWidth === 32`))
	var got struct {
		Alt, Missing, Others, Video string
		Images, Links, Stops        int
	}
	do(t, ctx, "look", chromedp.Evaluate(`({alt: document.images[1].alt, missing: document.getElementById("missing").textContent,
		others: [...document.querySelectorAll("#others li")].map(e => e.textContent).join("|"), images: document.images.length,
		video: [...document.querySelectorAll("#pictures video")].map(v => v.controls + " " + v.preload + " " + v.ariaLabel).join("|"),
		links: document.querySelectorAll("#files a[href^='javascript']").length,
		stops: document.querySelectorAll("#pictures [tabindex='0']").length})`, &got))
	if got.Alt != hostileName || got.Missing != "2 assets are missing in the archive: asset_<b>1</b>, asset_2" || got.Video != "true none film.mp4" ||
		got.Links != 0 || got.Stops != 1 || got.Images != 196 ||
		got.Others != "stage.glbmodel/gltf-binary2.0 KiB|</script><script>alert(1)</script>.htmltext/html2.0 KiB|folder/picture 5.pngimage/png2.0 KiB" {
		t.Errorf("got %+v", got)
	}
	var syncs string
	do(t, ctx, "syncs", until(`document.getElementById("syncs").childElementCount === 1`), chromedp.Evaluate(`document.getElementById("syncs").innerText`, &syncs))
	if strings.Join(strings.Fields(syncs), " ") != "<b>heroes</b> modelId <i>m</i> → a/ 1 fetched, 2 rewritten, 3 missing toString "+
		"Missing: <u>a</u>, AssetFailed: so <i>Odd</i>: </script><script>alert(1)</script>" {
		t.Errorf("syncs: %q", syncs)
	}
	if n := g.pictures.Load(); n > 150 { // the window shows a few dozen
		t.Errorf("%d pictures were loaded before anybody saw them", n)
	}
	screenshot(t, ctx, "gallery")
	do(t, ctx, "first picture", chromedp.Evaluate(`document.querySelector("#pictures [tabindex='0']").focus(), 0`, nil), chromedp.KeyEvent(kb.ArrowRight))
	if at := focusedAlt(t, ctx); at != hostileName {
		t.Errorf("an arrow leads to %q", at)
	}
	do(t, ctx, "home", chromedp.KeyEvent(kb.Home))
	if at := focusedAlt(t, ctx); at != "folder/picture 0.png" {
		t.Errorf("Home leads to %q", at)
	}
	do(t, ctx, "down", chromedp.KeyEvent(kb.ArrowDown))
	if at := focusedAlt(t, ctx); at == "folder/picture 0.png" || at == hostileName || at == "" {
		t.Errorf("an arrow down leads to %q", at)
	}
	do(t, ctx, "all", until(`(() => { scrollTo(0, document.body.scrollHeight); return document.getElementById("files-title").textContent === "Files: 1000"; })()`))
	if n := g.answers.Load(); n != 5 {
		t.Errorf("%d pages of files were asked for", n)
	}
	do(t, ctx, "end", chromedp.Evaluate(`document.querySelector("#pictures [tabindex='0']").focus(), 0`, nil), chromedp.KeyEvent(kb.End))
	if at := focusedAlt(t, ctx); at != "folder/picture 999.png" {
		t.Errorf("End leads to %q", at)
	}
	heard.none(t)
	do(t, ctx, "an address that leads elsewhere", chromedp.Evaluate(`location.hash = "..", 0`, nil),
		until(`document.getElementById("status").textContent.startsWith("NotFound")`))
	var text string
	do(t, ctx, "nothing is undefined", chromedp.Evaluate(`document.body.innerText`, &text))
	if i := slices.IndexFunc([]string{"undefined", "Invalid Date", "NaN"}, func(s string) bool { return strings.Contains(text, s) }); i >= 0 {
		t.Errorf("the page says %q", text)
	}
	heard.none(t)
}

func focusedAlt(t *testing.T, ctx context.Context) (alt string) {
	t.Helper()
	do(t, ctx, "focus", chromedp.Evaluate(`document.activeElement.querySelector?.("img")?.alt ?? ""`, &alt))
	return alt
}

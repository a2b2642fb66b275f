package sync

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// ready is a world with a sync of some assets that has run once, an hour after they were made.
func ready(t *testing.T, ids ...string) *world {
	t.Helper()
	w := newWorld(t, 1)
	w.define("heroes", heroes)
	for _, id := range ids {
		w.put(hero(id))
	}
	w.now = w.now.Add(time.Hour)
	w.run(`{"name":"heroes"}`)
	w.check("heroes/", ofHeroes)
	w.now = w.now.Add(time.Hour)
	return w
}

func hero(id string) scenariotest.CatalogueAsset {
	return scenariotest.CatalogueAsset{ID: id, CollectionIDs: []string{"collection_heroes"}}
}

var executionsRun int

// run executes to a good end.
func (w *world) run(input string) *Output {
	w.t.Helper()
	executionsRun++
	out, _, err := w.execute(fmt.Sprintf("run-%d", executionsRun), input)
	if err != nil {
		w.t.Fatalf("%s: %v", input, err)
	}
	return out
}

func TestFirstRunAndStatus(t *testing.T) {
	w := ready(t, "asset_a", "asset_b")
	s := w.status("heroes")
	if s.Status != Succeeded || s.Counts != (Counts{Listed: 2, Fetched: 2, Bytes: 18}) || s.Run != nil || len(s.Failed) != 0 ||
		!s.Cursor.Equal(w.assets["asset_a"].UpdatedAt) || s.EndedAt.IsZero() || s.Execution == "" {
		t.Errorf("the status is %+v", s)
	}
	for key, o := range w.s3.objects {
		if strings.Contains(string(o.body), "Signature") || strings.Contains(string(o.body), "embedding") {
			t.Errorf("%s has a signed URL or an embedding: %s", key, o.body)
		}
	}
	line := string(w.s3.objects["heroes/metadata/asset_a.json"].body)
	for _, want := range []string{`"seed":"`, `"prompt":"`, `"key":"heroes/assets/asset_a.png"`, `"syncedAt":"`, `"thumbnail":{"assetId":"asset_a"}`} {
		if !strings.Contains(line, want) {
			t.Errorf("the record lacks %s: %s", want, line)
		}
	}
	if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		t.Errorf("the record is no line: %q", line)
	}
}

func TestOnlyWhatChangedIsFetched(t *testing.T) {
	w := ready(t, "asset_a", "asset_b", "asset_c", "asset_d")
	a, b, c := hero("asset_a"), hero("asset_b"), hero("asset_c")
	a.Version, b.Tags = 1, []string{"red"}
	w.put(a) // another file
	w.put(b) // a tag
	w.put(c) // nothing that can be seen
	w.put(hero("asset_e"))
	out := w.run(`{"name":"heroes"}`)
	if *out.Counts != (Counts{Listed: 4, Fetched: 3, Rewritten: 1, Bytes: 27}) {
		t.Errorf("counts are %+v", *out.Counts)
	}
	w.check("heroes/", ofHeroes)
}

func TestSecondExecutionEndsAtOnce(t *testing.T) {
	w := ready(t, "asset_a")
	l, err := w.engine.readStatus(t.Context(), "heroes")
	if err != nil {
		t.Fatal(err)
	}
	l.Status.Status, l.Execution, l.Run = Running, "other", &Run{ID: "x"}
	if err := w.engine.write(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	w.running["other"] = true
	before := w.requests
	if out := w.run(`{"name":"heroes"}`); out.Status != "busy" || out.Execution != "other" || w.requests != before {
		t.Errorf("got %+v", out)
	}
	if out := w.run(`{}`); out.Busy != 1 || out.Quiet != 0 || out.Started != 0 {
		t.Errorf("all: got %+v", out)
	}
	delete(w.running, "other") // it was killed
	if out := w.run(`{"name":"heroes"}`); out.Status != Succeeded {
		t.Errorf("got %+v", out)
	}
}

// A run that lost its lease must not write any more.
func TestLostLease(t *testing.T) {
	w := ready(t, "asset_a")
	l, err := w.engine.readStatus(t.Context(), "heroes")
	if err != nil {
		t.Fatal(err)
	}
	mine := l
	if err := w.engine.write(t.Context(), &mine); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	l.Execution = "taken over"
	if err := w.engine.write(t.Context(), &l); err != nil {
		t.Fatal(err)
	}
	mine.Counts.Listed = 99
	if err := w.engine.write(t.Context(), &mine); archive.NameOf(err) != archive.SyncBusy {
		t.Errorf("the old holder wrote: %v", err)
	}
}

func TestMissingEntryIsFetchedAgainAndThenNamed(t *testing.T) {
	w := newWorld(t, 1)
	w.define("heroes", heroes)
	for _, id := range []string{"asset_a", "asset_b", "asset_c"} {
		w.put(hero(id))
	}
	w.absent["asset_a"], w.absent["asset_b"] = 1, 5
	w.run(`{"name":"heroes"}`)
	s := w.status("heroes")
	if s.Counts.Fetched != 2 || len(s.Failed) != 1 || s.Failed[0].AssetID != "asset_b" || s.Failed[0].Error != EntryMissing || len(w.batches) != 2 {
		t.Fatalf("the status is %+v", s)
	}
	pause := s.Failed[0].Next.Sub(w.now)
	w.now = w.now.Add(pause / 2)
	w.run(`{"name":"heroes"}`)
	if len(w.batches) != 2 {
		t.Error("tried again before its time")
	}
	w.now = w.now.Add(pause)
	w.run(`{"name":"heroes"}`)
	if s = w.status("heroes"); len(s.Failed) != 1 || s.Failed[0].Next.Sub(w.now) != 2*pause || s.Failed[0].Attempts != 2 {
		t.Errorf("the pause does not grow: %+v", s.Failed)
	}
	w.now = w.now.Add(maxPause)
	w.absent = map[string]int{}
	w.run(`{"name":"heroes"}`)
	if s = w.status("heroes"); len(s.Failed) != 0 || s.Counts.Fetched != 1 {
		t.Errorf("the status is %+v", s)
	}
	w.check("heroes/", ofHeroes)
}

// One asset of which no archive can be made must not keep the others of its archive out.
func TestOneBadAsset(t *testing.T) {
	w := newWorld(t, 1)
	w.define("heroes", heroes)
	for i := range 100 {
		w.put(hero(fmt.Sprintf("asset_%03d", i)))
	}
	w.bad["asset_042"] = true
	w.run(`{"name":"heroes"}`)
	s := w.status("heroes")
	if s.Counts.Fetched != 99 || len(s.Failed) != 1 || s.Failed[0].AssetID != "asset_042" || s.Failed[0].Error != "RequestInvalid" {
		t.Errorf("the status is %+v", s)
	}
}

// An outage must not make thousands of small archives, and passes.
func TestOutage(t *testing.T) {
	w := newWorld(t, 1)
	w.define("heroes", heroes)
	for i := range 100 {
		w.put(hero(fmt.Sprintf("asset_%03d", i)))
	}
	w.down = true
	w.run(`{"name":"heroes"}`)
	if s := w.status("heroes"); s.Counts.Failed != 100 || len(w.batches) != 1 {
		t.Errorf("%d batches, the status is %+v", len(w.batches), s.Counts)
	}
	w.down, w.now = false, w.now.Add(maxPause)
	w.run(`{"name":"heroes"}`)
	w.check("heroes/", ofHeroes)
}

func TestTooManyFailuresKeepTheCursor(t *testing.T) {
	w := newWorld(t, 1)
	w.engine.ChunkAssets = 20_000
	w.define("heroes", heroes)
	for i := range maxNotes + 1 {
		w.put(hero(fmt.Sprintf("asset_%05d", i)))
	}
	w.down = true
	_, _, err := w.execute("x", `{"name":"heroes"}`)
	if s := w.status("heroes"); archive.NameOf(err) != archive.SyncFailed || !s.Cursor.IsZero() || s.Status != Failed || s.Error != "SyncFailed" {
		t.Errorf("%v, the status is %+v", err, s)
	}
	w.down, w.now = false, w.now.Add(maxPause)
	w.run(`{"name":"heroes"}`)
	w.check("heroes/", ofHeroes)
}

func TestPendingAndFailedAssets(t *testing.T) {
	w := newWorld(t, 1)
	w.define("heroes", heroes)
	p, e := hero("asset_p"), hero("asset_e")
	p.Status, e.Status = "pending", "error"
	w.put(p)
	w.put(e)
	w.run(`{"name":"heroes"}`)
	if s := w.status("heroes"); s.Counts.Pending != 1 || len(s.Failed) != 1 || s.Failed[0].Error != AssetFailed || len(w.batches) != 0 {
		t.Errorf("the status is %+v", s)
	}
	p.Status, p.UpdatedAt = "", w.assets["asset_p"].UpdatedAt // without a change of updatedAt
	w.put(p)
	w.now = w.now.Add(time.Minute)
	w.run(`{"name":"heroes"}`)
	if s := w.status("heroes"); s.Counts.Pending != 0 || s.Counts.Fetched != 1 {
		t.Errorf("the status is %+v", s)
	}
	e.Deleted = true
	w.put(e)
	w.now = w.now.Add(maxPause)
	w.run(`{"name":"heroes"}`)
	if s := w.status("heroes"); len(s.Failed) != 0 {
		t.Errorf("what is gone is named: %+v", s.Failed)
	}
}

func TestFullRun(t *testing.T) {
	w := ready(t, "asset_a", "asset_b", "asset_c", "asset_d")
	delete(w.s3.objects, "heroes/assets/asset_a.png")
	damaged := w.s3.objects["heroes/assets/asset_b.png"]
	damaged.body = []byte("x")
	w.s3.objects["heroes/assets/asset_b.png"] = damaged
	delete(w.s3.objects, "heroes/metadata/asset_c.json")
	gone := hero("asset_d")
	gone.Deleted = true
	w.put(gone)
	if out := w.run(`{"name":"heroes","full":true}`); out.Counts.Fetched != 3 || out.Counts.Gone != 1 || out.Counts.Listed != 3 {
		t.Errorf("got %+v", out.Counts)
	}
	w.check("heroes/", ofHeroes)
	var line struct{ AssetID, Key string }
	if err := json.Unmarshal(w.s3.objects["heroes/gone.jsonl"].body, &line); err != nil || line.AssetID != "asset_d" || line.Key != "heroes/assets/asset_d.png" {
		t.Errorf("gone: %s, %v", w.s3.objects["heroes/gone.jsonl"].body, err)
	}
	if _, there := w.s3.objects[line.Key]; !there {
		t.Error("what is gone was deleted")
	}
}

func TestWithoutMetadata(t *testing.T) {
	w := newWorld(t, 1)
	w.define("heroes", `{"select":{"collectionId":"collection_heroes"},"destination":{"prefix":"heroes"},"metadata":false}`)
	w.put(hero("asset_a"))
	w.run(`{"name":"heroes"}`)
	w.now = w.now.Add(time.Minute)
	w.run(`{"name":"heroes"}`)
	if len(w.s3.keys("heroes/metadata/")) != 0 || len(w.s3.keys("heroes/assets/")) != 1 || len(w.batches) != 1 {
		t.Errorf("there are %v", w.s3.keys("heroes/"))
	}
	if body := string(w.s3.objects["heroes/known/asset_a.json"].body); strings.Contains(body, "prompt") {
		t.Errorf("it knows %s", body)
	}
}

func TestCreatedAfter(t *testing.T) {
	w := newWorld(t, 1)
	w.define("heroes", `{"select":{"createdAfter":"2026-05-01T12:00:00Z"}}`)
	old, fresh := hero("asset_old"), hero("asset_new")
	old.CreatedAt, fresh.CreatedAt = w.now, w.now.Add(time.Second)
	w.put(old)
	w.put(fresh)
	w.run(`{"name":"heroes"}`)
	if keys := w.s3.keys("heroes/assets/"); len(keys) != 1 || keys[0] != "heroes/assets/asset_new.png" {
		t.Errorf("there are %v", keys)
	}
}

func TestAll(t *testing.T) {
	w := ready(t, "asset_a")
	w.define("villains", `{"select":{"collectionId":"collection_villains"}}`)
	w.define("wrong", `{"select":{"colour":"red"},"option":{}}`)
	w.s3.objects["syncs/heroes/failed.json"] = stored{body: []byte("[]")}
	out := w.run(`{}`)
	if out.Quiet != 1 || out.Started != 1 || out.Refused != 1 || len(w.started) != 1 {
		t.Errorf("got %+v, started %v", out, w.started)
	}
	for _, input := range w.started {
		if input != `{"name":"villains","full":false}` {
			t.Errorf("started with %s", input)
		}
	}
	if text := string(w.s3.objects["syncs/wrong.error.json"].body); !strings.Contains(text, "option, select.colour") {
		t.Errorf("the error is %s", text)
	}
	w.put(hero("asset_b"))
	if out := w.run(`{}`); out.Quiet != 0 || out.Started != 2 {
		t.Errorf("with a change: %+v", out)
	}
}

func TestDefinitionsThatAreWrong(t *testing.T) {
	w := newWorld(t, 1)
	for text, want := range map[string]string{
		`{"select":{"colour":"red"}}`: "select.colour", `{"selekt":{}}`: "selekt", `[]`: "not a JSON object", `{} {}`: "more text",
		`{"destination":{"prefix":"../x"}}`: "..", `{"destination":{"prefix":"syncs/x"}}`: "syncs/", `{"metadata":"no"}`: "metadata",
		`{"select":{"collectionId":"a b"}}`: "no ID", `{"tags":{"":"x"}}`: "tag", `{"destination":{"prefix":"requests/x"}}`: "requests/",
	} {
		w.define("heroes", text)
		_, _, err := w.execute("x", `{"name":"heroes"}`)
		note := string(w.s3.objects[ErrorKey("heroes")].body)
		if archive.NameOf(err) != archive.RequestInvalid || !strings.Contains(note, want) {
			t.Errorf("%s: %v, and beside it %s", text, err, note)
		}
	}
	w.define("heroes", heroes)
	w.run(`{"name":"heroes"}`)
	if _, there := w.s3.objects[ErrorKey("heroes")]; there {
		t.Error("the error stays")
	}
	for _, input := range []string{`{"name":"none"}`, `{"name":"../x"}`, `{"nam":"heroes"}`, `[]`, `{"name":7}`} {
		if _, _, err := w.execute("x", input); archive.NameOf(err) != archive.RequestInvalid {
			t.Errorf("%s: %v", input, err)
		}
	}
}

func TestNameOf(t *testing.T) {
	for key, want := range map[string]string{
		"syncs/heroes.json": "heroes", "syncs/a-B_1.json": "a-B_1", "syncs/heroes.status.json": "", "syncs/heroes.error.json": "",
		"syncs/heroes/failed.json": "", "syncs/.json": "", "requests/heroes.json": "", "syncs/heroes.jsonl": "",
	} {
		if got, ok := NameOf(key); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v", key, got, ok)
		}
	}
}

func TestRecordsHaveNoURLs(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"url":"x","thumbnail":{"url":"https://a/b?S=1","assetId":"t"}}`, `{"thumbnail":{"assetId":"t"}}`},
		{`{"originalFileUrl":"//a/b?S","n":1.50,"seed":12345678901234567890}`, `{"n":1.50,"seed":12345678901234567890}`},
		{`{"list":["HTTPS://a/b?S=1","text?"],"deep":[[{"imageUrl":"x"}]]}`, `{"deep":[[{}]],"list":["HTTPS://a/b","text?"]}`},
	} {
		var v any
		d := json.NewDecoder(strings.NewReader(c.in))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		withoutURLs(v)
		if got, _ := json.Marshal(v); string(got) != c.want {
			t.Errorf("%s: %s", c.in, got)
		}
	}
}

package batch

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// A batch hands unpacking on to each of its archives, and is finished with one when its list of contents is there.
func TestPlanWithUnpacking(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	const to = `,"destination":{"key":"c/heroes.zip"},"unpack":true`
	items := b.items(b.mustPlan("one", 0, inline(ids(1, 2500), to)))
	if u := items[0].Request.Unpack; !u.Wanted || u.Prefix != "" || items[0].Request.Destination.Overwrite {
		t.Errorf("asks for %+v", items[0].Request)
	}
	b.putArchive(items[0].PlannedArchive, 1000)
	b.putArchive(items[1].PlannedArchive, 1000)
	b.put("c/heroes-0002/contents.jsonl", "{}\n", nil)
	p := b.mustPlan("two", 0, inline(ids(1, 2500), to))
	left := b.items(p)
	if p.Finished != 1 || len(left) != 2 || left[0].Number != 1 || !left[0].Request.Destination.Overwrite || left[1].Request.Destination.Overwrite {
		t.Errorf("got %+v, left %+v", p, left)
	}
	var r record
	if err := json.Unmarshal([]byte(b.get(p.Work+"plan.json")), &r); err != nil {
		t.Fatal(err)
	}
	want := archive.Unpacked{Prefix: "c/heroes-0002/", Contents: "c/heroes-0002/contents.jsonl"}
	if f := r.Archives[1].Finished; f == nil || f.Unpacked == nil || *f.Unpacked != want {
		t.Errorf("finished: %+v", f)
	}
	items = b.items(b.mustPlan("three", 0, inline(ids(1, 1001), `,"destination":{"prefix":"d"},"unpack":{"prefix":"files","keepArchive":false}`)))
	for i, want := range []string{"files/assets-0001", "files/assets-0002"} {
		if u := items[i].Request.Unpack; u.Prefix != want || !u.DropArchive {
			t.Errorf("archive %d: %+v", i, u)
		}
	}
}

func TestPlanOfSmallArchives(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("lists/l.txt", strings.Join(ids(1, 70), "\n"), nil)
	if p := b.mustPlan("small", 0, `{"list":{"key":"lists/l.txt"},"batchSize":30}`); p.Archives != 3 {
		t.Errorf("got %+v", p)
	}
}

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

// Together, all archives have one prefix, and each its part of the batch, which is the same when the batch is planned again.
func TestPlanWithUnpackingTogether(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for to, prefix := range map[string]string{
		`,"destination":{"key":"c/heroes.zip"},"unpack":{"together":true}`:                 "c/heroes",
		`,"destination":{"key":"d/heroes.zip"},"unpack":{"prefix":"all/","together":true}`: "all/",
	} {
		items := b.items(b.mustPlan("one", 0, inline(ids(1, 2500), to)))
		again := b.items(b.mustPlan("two", 0, inline(ids(1, 2500), to)))
		for i, number := range []string{"0001", "0002", "0003"} {
			u := items[i].Request.Unpack
			if u.Prefix != prefix || u.Together || !strings.HasSuffix(u.Part, "-"+number) || u != again[i].Request.Unpack {
				t.Errorf("archive %s is asked for %+v, and again for %+v", number, u, again[i].Request.Unpack)
			}
		}
	}
	const to = `,"destination":{"key":"c/heroes.zip"},"unpack":{"together":true}`
	items := b.items(b.mustPlan("three", 0, inline(ids(1, 2500), to)))
	b.putArchive(items[1].PlannedArchive, 1000)
	b.put("c/heroes/contents-0002.jsonl", "{}\n", nil)
	p := b.mustPlan("four", 0, inline(ids(1, 2500), to))
	if p.Finished != 1 {
		t.Errorf("got %+v", p)
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

// An archive whose files are wanted is not finished by being there: its unpacking may have failed. With the list of contents
// it is, though the map has no result of it.
func TestManifestOfArchivesThatAreNotUnpacked(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	p := b.mustPlan("run", 0, inline(ids(1, 2500), `,"destination":{"key":"c/heroes.zip"},"unpack":true`))
	groups := b.items(p)
	b.putArchive(groups[0].PlannedArchive, 5)
	b.putArchive(groups[1].PlannedArchive, 5)
	b.put("c/heroes-0002/contents.jsonl", "{}\n", nil)
	m := b.mapRun()
	m.failed(groups[0], "DestinationConflict", "somebody else's object")
	m.succeeded(groups[2])
	m.write(p)
	if _, err := b.write(p, nil); errorName(err) != "BatchFailed" {
		t.Errorf("got %v", err)
	}
	d := b.document(p)
	if len(d.Failed) != 1 || d.Failed[0].Number != 1 || d.Failed[0].Error != "DestinationConflict" {
		t.Errorf("failed %+v", d.Failed)
	}
	if len(d.Archives) != 2 || d.Archives[0].Unpacked == nil || d.Archives[0].Unpacked.Prefix != "c/heroes-0002/" {
		t.Errorf("%d archives", len(d.Archives))
	}
}

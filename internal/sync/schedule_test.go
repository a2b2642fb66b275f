package sync

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

var schedules = flag.Int("schedules", defaultSchedules, "how many seeded schedules TestSchedules goes through")

var putPlain = bucket.PutOptions{}

const heroes = `{"select": {"collectionId": "collection_heroes"}, "destination": {"prefix": "heroes/"}}`

func ofHeroes(a scenariotest.CatalogueAsset) bool {
	return len(a.CollectionIDs) > 0 && a.CollectionIDs[0] == "collection_heroes"
}

// TestSchedules has assets made, changed, tagged, failed and deleted while lists are spoiled, batches fail and executions are
// killed between any two writes. After the last quiet tick the bucket equals the selection.
func TestSchedules(t *testing.T) {
	t.Parallel()
	for seed := range *schedules {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, uint64(seed))
			w.define("heroes", heroes)
			w.engine.ChunkAssets = 1 + w.rand.IntN(150)
			w.faulty = true
			for tick := range 4 + w.rand.IntN(5) {
				w.change(tick)
				w.now = w.now.Add(time.Duration(w.rand.IntN(2)*w.rand.IntN(60)) * time.Minute) // nobody looks for a while
				if w.rand.IntN(2) == 0 {
					w.s3.killAfter(w.rand.IntN(60))
				}
				_, _, err := w.execute(fmt.Sprintf("execution-%d", tick), `{"name":"heroes"}`)
				if err != nil && !errors.Is(err, errKilled) && archive.NameOf(err) != archive.SyncFailed {
					t.Fatalf("tick %d: %v", tick, err)
				}
				w.s3.killAfter(-1)
				w.checkRecords("heroes/")
				w.now = w.now.Add(time.Duration(w.rand.IntN(90)) * time.Minute)
			}
			w.settle()
			w.check("heroes/", ofHeroes)
			if left := w.s3.keys("heroes/incoming/"); len(left) > 0 {
				t.Errorf("%d files are left: %v", len(left), left)
			}
		})
	}
}

// change makes some assets, and changes others.
func (w *world) change(tick int) {
	collections := [][]string{{"collection_heroes"}, {"collection_heroes"}, {"collection_villains"}}
	at := func() time.Time { // a list shows it late
		return w.now.Add(-time.Duration(w.rand.IntN(480_000)) * time.Millisecond).Truncate(time.Duration(1+w.rand.IntN(2)*499) * time.Millisecond)
	}
	most := 70
	if w.rand.IntN(12) == 0 {
		most = 500 // some chunks
	}
	for i := range w.rand.IntN(most) {
		id := fmt.Sprintf("asset_%d_%d", tick, i)
		a := scenariotest.CatalogueAsset{ID: id, CollectionIDs: collections[w.rand.IntN(3)], UpdatedAt: at()}
		if w.rand.IntN(20) == 0 {
			a.Status = "pending"
		}
		w.put(a)
		w.bad[id] = w.rand.IntN(100) == 0
		if w.rand.IntN(30) == 0 {
			w.absent[id] = 1 + w.rand.IntN(3)
		}
	}
	for id, a := range w.assets {
		a.UpdatedAt = at()
		if !a.UpdatedAt.After(w.assets[id].UpdatedAt) {
			continue
		}
		switch w.rand.IntN(30) {
		case 0:
			a.Version++
		case 1:
			a.Tags = append(a.Tags, fmt.Sprint(tick))
		case 2:
			a.Status = ""
		case 3:
			a.Deleted = w.rand.IntN(3) == 0
		case 4: // nothing that can be seen but the time
		default:
			continue
		}
		w.put(a)
	}
}

// settle ends all trouble, and ticks until nothing is to be done.
func (w *world) settle() {
	w.faulty, w.bad, w.absent = false, map[string]bool{}, map[string]int{}
	for id, a := range w.assets {
		if a.Status != "" {
			a.Status = ""
			w.put(a)
		}
		_ = id
	}
	for tick := range 6 {
		w.now = w.now.Add(maxPause + time.Hour)
		if _, _, err := w.execute(fmt.Sprintf("settle-%d", tick), `{"name":"heroes"}`); err != nil {
			w.t.Fatalf("a quiet tick: %v", err)
		}
	}
	w.now = w.now.Add(maxPause)
	before := w.lists
	out, states, err := w.execute("quiet", `{}`)
	if err != nil || out.Quiet != 1 || w.lists != before+1 || states > 9 {
		w.t.Errorf("a tick that finds nothing: %+v, %d states, %d lists, %v", out, states, w.lists-before, err)
	}
	if s := w.status("heroes"); s.Status != Succeeded || s.Counts.Failed != 0 || s.Counts.Pending != 0 {
		w.t.Errorf("the status is %+v", s)
	}
}

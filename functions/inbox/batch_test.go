package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// longRequest asks for 1001 assets and for a place.
var longRequest = `{"query":{"assetIds":["` + strings.ReplaceAll(strings.TrimSpace(list(1001)), "\n", `","`) + `"]},"destination":{"prefix":"c"}}`

// theBatch is the input of the one execution there is, which must be a batch.
func (f *fixture) theBatch(t *testing.T) batch.Input {
	t.Helper()
	name, input := f.only(t)
	in, err := batch.ParseInput([]byte(input))
	if err != nil || in.List == nil {
		t.Fatalf("%s: %v", input, err)
	}
	if _, err := f.starter.Batches.Describe(t.Context(), name); err != nil {
		t.Error(err)
	}
	return in
}

func TestLongListIsABatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		archive bool
	}{
		"long.csv": {list(1001), false}, "long.txt": {list(5000), false}, "wide.csv": {"assetId,x\n" + list(1001), false},
		"full.txt": {list(1000), true}, "repeats.csv": {list(1000) + list(1000), true},
		"scanned.txt": {list(10) + strings.Repeat(strings.Repeat(" ", 1023)+"\n", maxScan>>10+1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			o := f.drop("requests/"+name, c.content)
			for range 2 {
				if err := f.handle(t.Context(), eventBridge(o)); err != nil {
					t.Fatal(err)
				}
			}
			if c.archive {
				_, input := f.only(t)
				if r, err := archive.ParseRequest([]byte(input)); err != nil || len(r.Query.AssetIDs) != 1000 {
					t.Errorf("%d IDs, %v", len(r.Query.AssetIDs), err)
				}
				return
			}
			format, _ := batch.FormatOf(name)
			if in := f.theBatch(t); *in.List != (batch.List{Key: o.key, ETag: o.etag, Format: format}) {
				t.Errorf("got %+v", in.List)
			}
			note := f.note(t, stem(o.key)+statusSuffix)
			if execution, _ := note["execution"].(map[string]any); !strings.Contains(fmt.Sprint(execution["arn"]), ":execution:batch:") {
				t.Errorf("note %v", note)
			}
		})
	}
}

func TestLongListOfAVersion(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.txt", list(1001))
	o.version = "v7"
	if err := f.handle(t.Context(), eventBridge(o)); err != nil {
		t.Fatal(err)
	}
	if in := f.theBatch(t); in.List.VersionID != "v7" || in.List.ETag != o.etag {
		t.Errorf("got %+v", in.List)
	}
}

func TestLongRequestIsABatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/héroes 1.json", longRequest)
	for range 2 {
		if err := f.handle(t.Context(), eventBridge(o)); err != nil {
			t.Fatal(err)
		}
	}
	in := f.theBatch(t)
	if !strings.HasPrefix(in.List.Key, "batches/lists/") || !strings.HasSuffix(in.List.Key, "/h-roes-1.txt") ||
		in.Request.Destination.Prefix != "c" {
		t.Errorf("got %+v", in)
	}
	lists := 0
	for key, o := range f.objects {
		if strings.HasPrefix(key, "batches/lists/") {
			lists++
			if o.size != int64(len(list(1001))) {
				t.Errorf("%s has %d bytes", key, o.size)
			}
		}
	}
	if lists != 1 || f.note(t, "requests/héroes 1.status.json") == nil {
		t.Errorf("%d lists", lists)
	}
}

func TestLongRequestOfRepeatsIsAnArchive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.json", `{"query":{"assetIds":["b"`+strings.Repeat(`,"a"`, 2000)+`]},"projectId":"p"}`)
	if err := f.handle(t.Context(), eventBridge(o)); err != nil {
		t.Fatal(err)
	}
	_, input := f.only(t)
	r, err := archive.ParseRequest([]byte(input))
	if err != nil || strings.Join(r.Query.AssetIDs, " ") != "b a" || r.ProjectID != "p" {
		t.Errorf("got %s, %v", input, err)
	}
}

func TestListThatCannotBePut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := f.drop("requests/a.json", longRequest)
	f.breaks(failing("PUT", 503, "SlowDown"))
	if err := f.handle(t.Context(), eventBridge(o)); err == nil || f.sfn.Started() != 0 {
		t.Errorf("another delivery may do better: %v", err)
	}
	f.breaks(nil)
	if err := f.handle(t.Context(), eventBridge(o)); err != nil || f.sfn.Started() != 1 {
		t.Errorf("the next delivery: %v", err)
	}
}

// Fifty deliveries of a long list to the real state machine, with a real S3 server: one batch.
func TestFiftyDeliveriesOfALongList(t *testing.T) {
	t.Parallel()
	f, machine, storage := realFixture(t, sfntest.BatchMachineARN)
	f.starter.Batches = machine
	fiftyDeliveries(t, f, machine, storage, "requests/long.txt", list(3000), "requests/long.status.json")
}

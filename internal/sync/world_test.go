package sync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// A world is a bucket, a stand-in of Scenario, a batch state machine and executions, all in memory, with a clock of its own.
type world struct {
	t        testing.TB
	rand     *rand.Rand
	s3       *memoryS3
	standIn  *scenariotest.Handler
	engine   Engine
	now      time.Time
	running  map[string]bool   // executions
	started  map[string]string // by the engine: name → input
	batches  map[string]*fakeBatch
	assets   map[string]scenariotest.CatalogueAsset
	lists    int // requests for a list
	requests int

	faulty bool            // lists repeat, are out of order, and refuse tokens; batches fail
	bad    map[string]bool // assets of which no archive is made
	absent map[string]int  // assets that so many archives leave out
	down   bool            // no archive is made at all
}

type fakeBatch struct {
	input json.RawMessage
	done  bool
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, rand: rand.New(rand.NewPCG(seed, seed)), s3: newMemoryS3(), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC),
		running: map[string]bool{}, started: map[string]string{}, batches: map[string]*fakeBatch{},
		assets: map[string]scenariotest.CatalogueAsset{}, bad: map[string]bool{}, absent: map[string]int{},
	}
	w.standIn = scenariotest.NewHandler(scenariotest.Options{Now: func() time.Time { return w.now }})
	t.Cleanup(w.standIn.Close)
	client, err := scenario.New(scenario.Options{
		BaseURL: "http://localhost/v1", Credentials: scenario.StaticCredentials(scenariotest.DefaultKey, scenariotest.DefaultSecret),
		HTTPClient: &http.Client{Transport: w},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.engine = Engine{Bucket: w.s3.bucket(), Scenario: client, Executions: w, ChunkAssets: 250, Now: func() time.Time { return w.now }}
	return w
}

// RoundTrip has the stand-in answer, and spoils its lists.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.requests++
	list := r.Method == http.MethodGet && r.URL.Path == "/v1/assets"
	if list {
		w.lists++
	}
	recorder := httptest.NewRecorder()
	if w.faulty && list && r.URL.Query().Has("paginationToken") && w.rand.IntN(10) == 0 {
		recorder.WriteHeader(http.StatusBadRequest)
		return recorder.Result(), nil
	}
	inner := r.Clone(r.Context())
	inner.Host = "localhost"
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	w.standIn.ServeHTTP(recorder, inner)
	if w.faulty && list && recorder.Code == http.StatusOK {
		w.spoil(recorder)
	}
	return recorder.Result(), nil
}

// spoil repeats assets, and puts those of one second into another order.
func (w *world) spoil(recorder *httptest.ResponseRecorder) {
	var page map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &page); err != nil {
		w.t.Fatal(err)
	}
	assets := page["assets"].([]any)
	second := func(a any) string { return a.(map[string]any)["updatedAt"].(string)[:19] }
	w.rand.Shuffle(len(assets), func(i, j int) { assets[i], assets[j] = assets[j], assets[i] })
	slices.SortStableFunc(assets, func(a, b any) int { return strings.Compare(second(a), second(b)) })
	for range w.rand.IntN(3) {
		if len(assets) > 0 {
			assets = append(assets, assets[w.rand.IntN(len(assets))])
		}
	}
	page["assets"] = assets
	text, _ := json.Marshal(page)
	recorder.Body = bytes.NewBuffer(text)
	recorder.Header().Del("Content-Length")
}

func (w *world) Running(_ context.Context, arn string) (bool, error) { return w.running[arn], nil }

func (w *world) Start(_ context.Context, name string, input []byte) error {
	if _, again := w.started[name]; !again {
		w.started[name] = string(input)
	}
	return nil
}

// put makes or changes an asset at Scenario.
func (w *world) put(a scenariotest.CatalogueAsset) {
	if a.UpdatedAt.IsZero() {
		a.UpdatedAt = w.now
	}
	w.standIn.PutAssets(a)
	w.assets[a.ID] = a
}

func (w *world) define(name, text string) {
	w.s3.objects[DefinitionKey(name)] = stored{body: []byte(text)}
}

// content is the file of an asset as Scenario has it now.
func (w *world) content(id string) []byte { return fmt.Appendf(nil, "%s %d", id, w.assets[id].Version) }

// batch does what the batch state machine does: archives of so many assets, each unpacked whole or failed. It ends early when
// the process is killed, and can be continued.
func (w *world) batch(b *Batch) *Failure {
	if old := w.batches[b.Name]; old != nil && (old.done || !bytes.Equal(old.input, b.Input)) {
		return &Failure{"StepFunctions.ExecutionAlreadyExistsException", b.Name}
	}
	w.batches[b.Name] = &fakeBatch{input: b.Input}
	var in struct {
		List    struct{ Key string }
		Request struct {
			Destination struct{ Prefix string }
			Unpack      struct{ KeepArchive *bool }
		}
		BatchSize int
	}
	if err := json.Unmarshal(b.Input, &in); err != nil {
		w.t.Fatal(err)
	}
	if w.faulty && w.rand.IntN(12) == 0 {
		w.batches[b.Name].done = true
		return &Failure{"BatchFailed", "as it happens"}
	}
	ids := strings.Fields(string(w.s3.objects[in.List.Key].body))
	type entry map[string]any
	archives, failed := []entry{}, []entry{}
	for number := 1; len(ids) > 0; number++ {
		group := ids[:min(len(ids), in.BatchSize)]
		ids = ids[len(group):]
		prefix := fmt.Sprintf("%s%d/", in.Request.Destination.Prefix, number)
		contents := prefix + "contents.jsonl"
		name, ok := w.archive(prefix, contents, group)
		switch {
		case !ok:
			return nil // killed
		case name != "":
			failed = append(failed, entry{"error": name, "cause": "as it happens", "assetIds": group})
		default:
			archives = append(archives, entry{"key": "k", "unpacked": entry{"contents": contents}, "assetIds": group})
		}
	}
	text, _ := json.Marshal(entry{"archives": archives, "failed": failed})
	if !w.write(in.Request.Destination.Prefix+"manifest.json", text) {
		return nil
	}
	w.batches[b.Name].done = true
	return nil
}

func (w *world) archive(prefix, contents string, ids []string) (failure string, ok bool) {
	if w.down {
		return "ScenarioUnavailable", true
	}
	if w.faulty && w.rand.IntN(10) == 0 {
		return []string{"JobFailed", "ArchiveCorrupt", "ScenarioUnavailable"}[w.rand.IntN(3)], true
	}
	for _, id := range ids {
		if w.bad[id] || w.assets[id].Deleted {
			return "RequestInvalid", true
		}
	}
	var lines bytes.Buffer
	for _, id := range ids {
		if w.absent[id] != 0 {
			w.absent[id]--
			continue
		}
		body, key := w.content(id), prefix+id+".png"
		if !w.write(key, body) {
			return "", false
		}
		fmt.Fprintf(&lines, `{"name":"%s.png","key":%q,"size":%d,"contentType":"image/png","crc32":"%08x"}`+"\n",
			id, key, len(body), crc32.ChecksumIEEE(body))
	}
	return "", w.write(contents, lines.Bytes())
}

func (w *world) write(key string, body []byte) bool {
	_, err := w.engine.Bucket.Put(w.t.Context(), key, body, putPlain)
	return err == nil
}

// execute runs the state machine on an input until it ends, or the process is killed. It gives the states entered.
func (w *world) execute(arn, input string) (out *Output, states int, err error) {
	w.running[arn] = true
	defer delete(w.running, arn)
	ctx, execution := w.t.Context(), archive.Execution{ID: arn, Name: arn}
	in := ChangesInput{Request: json.RawMessage(input), Execution: execution}
	step, err := w.again(func() (Step, error) { return w.engine.Changes(ctx, in) })
	states += 2
	for err == nil && step.Next != NextDone {
		switch step.Next {
		case NextChanges:
			in.State.Step = step
			step, err = w.again(func() (Step, error) { return w.engine.Changes(ctx, in) })
			states += 2
		case NextBatch:
			failure := w.batch(step.Batch)
			b := step.Batch
			step, err = w.again(func() (Step, error) {
				return w.engine.Synced(ctx, SyncedInput{Execution: execution, Request: in.Request, State: State{Step{Batch: b}, failure}})
			})
			states += 3
		}
	}
	if err != nil && !errors.Is(err, errKilled) {
		failure := &Failure{string(archive.NameOf(err)), err.Error()}
		_, _ = w.engine.Synced(ctx, SyncedInput{Execution: execution, Request: in.Request, State: State{Error: failure}, RecordFailure: true})
	}
	return step.Output, states + 1, err
}

// again repeats a step whose answer was lost, now and then.
func (w *world) again(do func() (Step, error)) (Step, error) {
	step, err := do()
	if w.faulty && err == nil && w.rand.IntN(6) == 0 {
		return do()
	}
	return step, err
}

// check compares the bucket with what is selected: each asset's file and record, and no record without its file.
func (w *world) check(prefix string, selected func(scenariotest.CatalogueAsset) bool) {
	w.t.Helper()
	for id, a := range w.assets {
		if a.Deleted || a.Status != "" || !selected(a) {
			continue
		}
		kept, ok := w.record(prefix, id)
		if !ok {
			w.t.Errorf("%s has no record", id)
			continue
		}
		if got := w.s3.objects[prefix+"assets/"+id+".png"].body; !bytes.Equal(got, w.content(id)) {
			w.t.Errorf("%s is %q, not %q", id, got, w.content(id))
		}
		if kept.Size != int64(len(w.content(id))) || kept.CRC32 != fmt.Sprintf("%08x", crc32.ChecksumIEEE(w.content(id))) ||
			!slices.Equal(kept.Tags, a.Tags) || !kept.UpdatedAt.Equal(a.UpdatedAt) {
			w.t.Errorf("%s has the record %+v", id, kept)
		}
	}
	w.checkRecords(prefix)
}

// checkRecords holds at any moment: where there is a record, there is its file.
func (w *world) checkRecords(prefix string) {
	w.t.Helper()
	for _, key := range w.s3.keys(prefix + "metadata/") {
		var kept record
		if err := json.Unmarshal(w.s3.objects[key].body, &kept); err != nil {
			w.t.Errorf("%s: %v", key, err)
		} else if _, there := w.s3.objects[kept.Key]; !there {
			w.t.Errorf("%s has no file at %q", key, kept.Key)
		}
	}
}

type keptRecord struct {
	record
	ID        string
	Tags      []string
	UpdatedAt time.Time
}

func (w *world) record(prefix, id string) (kept keptRecord, ok bool) {
	o, ok := w.s3.objects[prefix+"metadata/"+id+".json"]
	if ok {
		if err := json.Unmarshal(o.body, &kept); err != nil {
			w.t.Fatal(err)
		}
	}
	return kept, ok
}

func (w *world) status(name string) Status {
	w.t.Helper()
	var s Status
	if err := json.Unmarshal(w.s3.objects[StatusKey(name)].body, &s); err != nil {
		w.t.Fatalf("the status of %s: %v", name, err)
	}
	return s
}

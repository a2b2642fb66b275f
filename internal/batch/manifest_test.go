package batch

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// document is a manifest as its readers see it.
type document struct {
	Version  int
	Batch    string
	Request  sharedSpec
	Complete bool
	Totals   Totals
	Archives []struct {
		finishedEntry
		AssetIDs []string
	}
	Failed []struct {
		failedEntry
		AssetIDs []string
	}
}

func (b testBucket) document(p Plan) (d document) {
	b.t.Helper()
	decode := json.NewDecoder(strings.NewReader(b.get(p.Manifest.Key)))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&d); err != nil {
		b.t.Fatalf("%v:\n%s", err, b.get(p.Manifest.Key))
	}
	return d
}

// mapRun leaves what Step Functions writes at the end of a map.
type mapRun struct {
	testBucket
	files map[string][]string
}

func (b testBucket) mapRun() *mapRun { return &mapRun{b, map[string][]string{}} }

// child adds a child; more are the fields beside its input.
func (m *mapRun) child(file string, g Item, more string) {
	m.t.Helper()
	input, _ := json.Marshal(g)
	text, _ := json.Marshal(string(input))
	m.files[file] = append(m.files[file], fmt.Sprintf(`{"ExecutionArn":"arn","Input":%s%s}`, text, more))
}

func (m *mapRun) succeeded(g Item) {
	m.t.Helper()
	output, _ := json.Marshal(map[string]any{"output": m.putArchive(g.PlannedArchive, len(g.ids()))})
	text, _ := json.Marshal(string(output))
	m.child("SUCCEEDED", g, `,"Status":"SUCCEEDED","Output":`+string(text))
}

func (m *mapRun) failed(g Item, name, cause string) {
	description, _ := json.Marshal(map[string]string{"Error": name, "Cause": cause, "Status": "FAILED"})
	text, _ := json.Marshal(string(description))
	m.child("FAILED", g, `,"Status":"FAILED","Error":"States.TaskFailed","Cause":`+string(text))
}

func (m *mapRun) write(p Plan) {
	m.t.Helper()
	folder := p.Results.Prefix + "/0123/"
	names := map[string][]map[string]any{"SUCCEEDED": {}, "FAILED": {}, "PENDING": {}}
	for kind, children := range m.files {
		for i, c := range slices.Backward(children) { // in no order, in several files
			key := fmt.Sprintf("%s%s_%d.json", folder, kind, i)
			m.put(key, "["+c+"]", nil)
			names[kind] = append(names[kind], map[string]any{"Key": key, "Size": len(c)})
		}
	}
	text, _ := json.Marshal(map[string]any{"DestinationBucket": m.Bucket, "MapRunArn": "arn", "ResultFiles": names})
	m.put(folder+"manifest.json", string(text), nil)
}

func (b testBucket) write(p Plan, failed *MapFailure) (ManifestOutput, error) {
	b.t.Helper()
	in := ManifestInput{State: State{Plan: p, Failure: failed}, RedriveCount: p.RedriveCount}
	return Manifester{b.storage()}.Write(b.t.Context(), in)
}

func TestManifest(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	p := b.mustPlan("run", 0, inline(append(ids(1, 2500), "asset_000001"), `,"destination":{"key":"c/heroes.zip"},
		"options":{"flat":true},"projectId":"p"`))
	p.ToleratedFailurePercentage = 34
	groups, m := b.items(p), b.mapRun()
	m.succeeded(groups[2])
	m.failed(groups[1], "JobFailed", "Scenario's job job_9 failed")
	m.succeeded(groups[0])
	m.write(p)

	out, err := b.write(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := b.document(p)
	if out.Again || out.Output.Complete || out.Output.Manifest != "c/manifest.json" || out.Output.Bucket != b.Bucket ||
		!reflect.DeepEqual(out.Output.Totals, d.Totals) {
		t.Errorf("got %+v", out.Output)
	}
	size := d.Archives[0].Size + d.Archives[1].Size
	if want := (Totals{Archives: 2, Failed: 1, Assets: 2500, Duplicates: 1, Missing: 1000, Size: size, Entries: 1500}); d.Totals != want {
		t.Errorf("totals %+v, want %+v", d.Totals, want)
	}
	if d.Version != 1 || d.Complete || d.Request.ProjectID != "p" || !*d.Request.Options.Flat || len(d.Batch) != 64 {
		t.Errorf("got %+v", d)
	}
	for i, number := range []int{1, 3} {
		a := d.Archives[i]
		if a.Number != number || a.Key != fmt.Sprintf("c/heroes-%04d.zip", number) || a.Entries != int64(a.Assets) ||
			a.Size == 0 || a.ETag == "" || a.ChecksumCRC64NVME == "" || a.JobID != fmt.Sprintf("job_%d", number) ||
			!slices.Equal(a.AssetIDs, groups[number-1].ids()) {
			t.Errorf("archive %d: %+v", number, a.finishedEntry)
		}
	}
	if f := d.Failed[0]; len(d.Failed) != 1 || f.Number != 2 || f.Key != "c/heroes-0002.zip" || f.Error != "JobFailed" ||
		f.Cause != "Scenario's job job_9 failed" || f.Assets != 1000 || !slices.Equal(f.AssetIDs, groups[1].ids()) {
		t.Errorf("failed: %+v", f.failedEntry)
	}
}

// A repeat after everything is there must leave the same manifest, byte by byte, wherever what it says came from.
func TestManifestOfARepeatIsTheSame(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	input := inline(ids(1, 2001), `,"destination":{"prefix":"c/"}`)
	p := b.mustPlan("one", 0, input)
	m := b.mapRun()
	for _, g := range b.items(p) {
		m.succeeded(g)
	}
	m.write(p)
	if out, err := b.write(p, nil); err != nil || !out.Output.Complete {
		t.Fatalf("got %+v, %v", out, err)
	}
	first := b.get("c/manifest.json")
	p = b.mustPlan("two", 0, input)
	if out, err := b.write(p, nil); err != nil || !out.Output.Complete || p.ToDo != 0 {
		t.Fatalf("got %+v, %v", out, err)
	}
	if second := b.get("c/manifest.json"); second != first {
		t.Errorf("the manifest differs:\n%.600s\n%.600s", first, second)
	}
}

func TestARepeatCompletesTheManifest(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	input := inline(ids(1, 3000), `,"destination":{"prefix":"c/"}`)
	p := b.mustPlan("one", 0, input)
	groups, m := b.items(p), b.mapRun()
	m.succeeded(groups[0])
	m.failed(groups[1], "JobFailed", "failed")
	m.failed(groups[2], "RateLimited", "too many")
	m.write(p)
	_, err := b.write(p, &MapFailure{"States.ExceedToleratedFailureThreshold", "too many"})
	if errorName(err) != "BatchFailed" || !strings.Contains(err.Error(), "2 of 3 archives are missing (JobFailed 1, RateLimited 1)") ||
		!strings.Contains(err.Error(), "c/assets-0002.zip: failed") {
		t.Errorf("got %s %v", errorName(err), err)
	}
	if d := b.document(p); d.Totals.Failed != 2 || len(d.Archives) != 1 {
		t.Errorf("the manifest of a failed batch: %+v", d.Totals)
	}

	p = b.mustPlan("two", 0, input)
	groups, m = b.items(p), b.mapRun()
	if len(groups) != 2 || groups[0].Number != 2 {
		t.Fatalf("planned %d groups", len(groups))
	}
	m.succeeded(groups[0])
	m.succeeded(groups[1])
	m.write(p)
	if out, err := b.write(p, nil); err != nil || !out.Output.Complete {
		t.Errorf("got %+v, %v", out, err)
	}
	d := b.document(p)
	if !d.Complete || len(d.Archives) != 3 || len(d.Failed) != 0 || d.Totals.Entries < 2000 {
		t.Errorf("got %+v", d.Totals)
	}
}

func TestManifestOfAMapThatTellsNothing(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	p := b.mustPlan("run", 0, inline(ids(1, 2500), ""))
	groups := b.items(p)
	done := b.putArchive(groups[1].PlannedArchive, 5) // its execution ended after the map did
	other := groups[2].PlannedArchive
	other.Execution = strings.Replace(other.Execution, digestIn(other.Execution), strings.Repeat("0", digestDigits), 1)
	b.putArchive(other, 5) // somebody else's content
	_, err := b.write(p, &MapFailure{"States.ItemReaderFailed", "no access"})
	if errorName(err) != "BatchFailed" || !strings.Contains(err.Error(), "States.ItemReaderFailed: no access") {
		t.Errorf("got %v", err)
	}
	d := b.document(p)
	if len(d.Archives) != 1 || d.Archives[0].Key != done.Key || d.Archives[0].Entries != 5 || d.Archives[0].Size != done.Size {
		t.Errorf("archives %+v", d.Archives)
	}
	if len(d.Failed) != 2 || d.Failed[0].Error != "NotStarted" || d.Failed[1].Number != 3 {
		t.Errorf("failed %+v", d.Failed)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	stopped := &MapFailure{"States.ExceedToleratedFailureThreshold", "x"}
	for _, c := range []struct {
		name                     string
		archives, toDo, failures int
		tolerated                float64
		failed                   *MapFailure
		want                     string
	}{
		{"all there", 10, 10, 0, 0, nil, ""},
		{"nothing to do", 10, 0, 0, 0, nil, ""},
		{"all there, though the map failed", 10, 10, 0, 0, stopped, ""},
		{"one missing, none tolerated", 10, 10, 1, 0, nil, "BatchFailed"},
		{"as many as tolerated", 10, 10, 1, 10, nil, ""},
		{"one more than tolerated", 10, 10, 2, 10, nil, "BatchFailed"},
		{"of what was to do", 10, 5, 1, 10, nil, "BatchFailed"},
		{"tolerated, but the map stopped", 10, 10, 1, 10, stopped, "BatchFailed"},
		{"all tolerated, none there", 10, 10, 10, 100, nil, "BatchFailed"},
		{"all tolerated, one there", 10, 10, 9, 100, nil, ""},
	} {
		archives := make([]outcome, c.archives)
		for i := range archives {
			if i < c.failures {
				archives[i].Failed = &failure{"JobFailed", strings.Repeat("long ", 1000)}
			} else {
				archives[i].Finished = &archive.Output{}
			}
		}
		plan := Plan{ToDo: c.toDo, ToleratedFailurePercentage: c.tolerated}
		err := verdict(plan, c.failed, totals(plan, archives), archives)
		if errorName(err) != c.want || err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestARedriveIsPlannedAgain(t *testing.T) {
	t.Parallel()
	in := ManifestInput{State: State{Plan: Plan{RedriveCount: 1}}, RedriveCount: 2}
	if out, err := (Manifester{}).Write(t.Context(), in); err != nil || !out.Again || out.Output != nil {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestManifestOfFilesThatAreDamaged(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for name, damage := range map[string]func(Plan){
		"no record":            func(p Plan) { b.delete(p.Work + "plan.json") },
		"a record of no sense": func(p Plan) { b.put(p.Work+"plan.json", "{", nil) },
		"a shorter list":       func(p Plan) { b.put(p.Work+"assets.txt", "a\n", nil) },
		"results of no sense":  func(p Plan) { b.put(p.Results.Prefix+"/1/manifest.json", "x", nil) },
		"results that are gone": func(p Plan) {
			b.put(p.Results.Prefix+"/1/manifest.json", `{"ResultFiles":{"FAILED":[{"Key":"none"}]}}`, nil)
		},
		"results cut short": func(p Plan) {
			b.put(p.Results.Prefix+"/1/manifest.json", `{"ResultFiles":{"FAILED":[{"Key":"cut"}]}}`, nil)
			b.put("cut", `[{"Status":"FAILED"}`, nil)
		},
		"results that are no array": func(p Plan) {
			b.put(p.Results.Prefix+"/1/manifest.json", `{"ResultFiles":{"FAILED":[{"Key":"none2"}]}}`, nil)
			b.put("none2", `{}`, nil)
		},
	} {
		p := b.mustPlan("run-"+plainName(name), 0, inline(ids(1, 3), ""))
		damage(p)
		if _, err := b.write(p, nil); errorName(err) == "" || errorName(err) == "BatchFailed" || b.has(p.Manifest.Key) {
			t.Errorf("%s: got %s %v", name, errorName(err), err)
		}
	}
}

// The state machine and those who read a batch's output name these fields.
func TestStepsKeepTheirJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    any
		want string
	}{
		{Plan{}, `{"work":"","assets":0,"duplicates":0,"archives":0,"finished":0,"toDo":0,"maxConcurrency":0,` +
			`"toleratedFailurePercentage":0,"items":{"bucket":"","key":""},"results":{"bucket":"","prefix":""},` +
			`"manifest":{"bucket":"","key":""},"redriveCount":0}`},
		{ManifestOutput{Output: &Output{}}, `{"again":false,"output":{"bucket":"","manifest":"","complete":false,"totals":` +
			`{"archives":0,"failed":0,"assets":0,"duplicates":0,"missing":0,"size":0,"entries":0}}}`},
		{ManifestOutput{Again: true}, `{"again":true,"output":null}`},
		{Item{}, `{"number":0,"key":"","execution":"","assets":0,"request":{"query":{"assetIds":null},"options":{},"projectId":"",` +
			`"timeoutSeconds":0,"destination":{"key":"","overwrite":false,"tags":null},"unpack":false}}`},
	} {
		if got, err := json.Marshal(c.v); err != nil || string(got) != c.want {
			t.Errorf("got %s (%v), want %s", got, err, c.want)
		}
	}
}

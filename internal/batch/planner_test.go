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

func TestPlan(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	list := append(ids(1, 1500), ids(1, 700)...)
	list = append(list, ids(1501, 2001)...)
	b.put("requests/My heroes.csv", "\xef\xbb\xbfprompt,assetId\r\n\"a, \"\"b\"\"\","+strings.Join(list, "\r\n\r\nx,")+"\r\n", nil)
	p := b.mustPlan("run-1", 0, `{"list":{"key":"requests/My heroes.csv"},"request":{
		"options":{"flat":true,"fileNameTemplate":"<assetId>"},"projectId":"p","timeoutSeconds":99,
		"destination":{"prefix":"characters","overwrite":true,"tags":{"k":"v"}}},"maxConcurrency":3,"toleratedFailurePercentage":0}`)

	if p.Lines != 1+2*2701-1 || p.Assets != 2001 || p.Duplicates != 700 || p.Archives != 3 || p.ToDo != 3 || p.Finished != 0 ||
		p.MaxConcurrency != 3 || p.ToleratedFailurePercentage != 0 || p.Work != workPrefix(executionNamed("run-1"), 0) {
		t.Errorf("got %+v", p)
	}
	if p.Manifest != (Object{b.Bucket, "characters/manifest.json"}) || p.Results != (Place{b.Bucket, p.Work + "results"}) {
		t.Errorf("got %+v", p)
	}
	last := b.items(p)[2].Request
	last.Query.AssetIDs = last.Query.AssetIDs[:1]
	if request, _ := json.Marshal(last); string(request) != `{"query":{"assetIds":["asset_002001"]},"options":{"flat":true,`+
		`"fileNameTemplate":"\u003cassetId\u003e"},"projectId":"p","timeoutSeconds":99,"destination":{"key":"characters/My-heroes-0003.zip",`+
		`"overwrite":true,"tags":{"k":"v"}},"unpack":false}` {
		t.Errorf("got %s", request)
	}
	var all []string
	for i, g := range b.items(p) {
		if g.Number != i+1 || g.Key != fmt.Sprintf("characters/My-heroes-%04d.zip", i+1) || g.Assets != len(g.ids()) {
			t.Errorf("archive %d: %+v", i+1, g.PlannedArchive)
		}
		if want := fmt.Sprintf("My-heroes-%04d-", i+1); !strings.HasPrefix(g.Execution, want) || len(g.Execution) > 80 {
			t.Errorf("archive %d: name %q", i+1, g.Execution)
		}
		all = append(all, g.ids()...)
	}
	if !slices.Equal(all, ids(1, 2001)) {
		t.Error("the assets are not those of the list, each once and in order")
	}
}

func TestPlanSizes(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for n, want := range map[int][]int{1: {1}, 999: {999}, 1000: {1000}, 1001: {1000, 1}, 2000: {1000, 1000}} {
		p := b.mustPlan(fmt.Sprintf("size-%d", n), 0, inline(ids(1, n), ""))
		var got []int
		for _, g := range b.items(p) {
			got = append(got, g.Assets)
		}
		if !slices.Equal(got, want) || p.Archives != len(want) {
			t.Errorf("%d assets: archives of %v, want %v", n, got, want)
		}
	}
}

// A child's input is an item; it must stay under what Step Functions carries.
func TestAnItemFitsIntoTheState(t *testing.T) {
	t.Parallel()
	tags := map[string]string{}
	for i := range 10 {
		tags[strings.Repeat("é", 127)+fmt.Sprint(i)] = strings.Repeat("é", 256)
	}
	for _, length := range []int{1, 28, 195, 209, 210, 256} {
		size := batchSize(length)
		if length <= 209 && size != 1000 || length > 209 && size >= 1000 {
			t.Errorf("IDs of %d bytes: %d in an archive", length, size)
		}
		key := strings.Repeat("k", 1024)
		input, _ := json.Marshal(Item{
			PlannedArchive{Number: 99999, Key: key, Execution: strings.Repeat("n", 80), Assets: 1000},
			ItemRequest{
				Query: ItemQuery{slices.Repeat([]string{strings.Repeat("x", length)}, size)}, ProjectID: strings.Repeat("p", 256),
				Options: optionsOf(strings.Repeat("t", 1024)), Destination: ItemDestination{key, true, tags},
			},
		})
		// The archive's description has its input, its output and names.
		if len(input)+8<<10 > stateLimit {
			t.Errorf("IDs of %d bytes: the state has %d bytes", length, len(input))
		}
	}
}

func TestPlanPlaces(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("lists/heroes.2.txt", "a\nb\n", nil)
	identity := func(options string) string {
		d := newDigester(archive.Request{})
		d.add("a")
		d.add("b")
		return d.sum()[:8]
	}("")
	for name, c := range map[string]struct{ input, archive, manifest string }{
		"nothing said":        {`{"list":{"key":"lists/heroes.2.txt"}}`, "archives/heroes-2-" + identity + "/heroes-2-0001.zip", "archives/heroes-2-" + identity + "/manifest.json"},
		"nothing said inline": {inline([]string{"a", "b"}, ""), "archives/assets-" + identity + "/assets-0001.zip", "archives/assets-" + identity + "/manifest.json"},
		"prefix":              {`{"list":{"key":"lists/heroes.2.txt"},"request":{"destination":{"prefix":"c/"}}}`, "c/heroes-2-0001.zip", "c/manifest.json"},
		"key":                 {`{"list":{"key":"lists/heroes.2.txt"},"request":{"destination":{"key":"c/h.zip"}}}`, "c/h-0001.zip", "c/manifest.json"},
		"key without a zip":   {inline([]string{"a"}, `,"destination":{"key":"h"}`), "h-0001.zip", "manifest.json"},
	} {
		p := b.mustPlan("place-"+plainName(name), 0, c.input)
		if got := b.items(p)[0].Key; got != c.archive || p.Manifest.Key != c.manifest {
			t.Errorf("%s: got %s and %s, want %s and %s", name, got, p.Manifest.Key, c.archive, c.manifest)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("lists/empty.txt", "\n\n", nil)
	b.put("lists/bad.csv", "assetId\nasset_1\nno id\n", nil)
	b.put("lists/good.txt", "a\n", nil)
	b.put("taken/manifest.json", "{}", nil)
	b.put("full/good-0001.zip", "somebody's", nil)
	for _, c := range []struct{ name, input, want, text string }{
		{"no such list", `{"list":{"key":"lists/none.csv"}}`, "RequestInvalid", `no list "lists/none.csv"`},
		{"empty list", `{"list":{"key":"lists/empty.txt"}}`, "RequestInvalid", "names no asset"},
		{"bad ID", `{"list":{"key":"lists/bad.csv"}}`, "RequestInvalid", `line 3 of the list has "no id"`},
		{"key too long with its number", inline([]string{"a"}, `,"destination":{"key":"`+strings.Repeat("k", 1020)+`"}`), "RequestInvalid", "1024"},
		{"strict", `{"list":{"key":"lists/good.txt"},"request":{"strict":true}}`, "RequestInvalid", "for one archive"},
		{"another's manifest", `{"list":{"key":"lists/good.txt"},"request":{"destination":{"prefix":"taken"}}}`, "DestinationConflict", "taken/manifest.json"},
		{"another's archive", `{"list":{"key":"lists/good.txt"},"request":{"destination":{"prefix":"full"}}}`, "DestinationConflict", "full/good-0001.zip"},
	} {
		_, err := b.plan("refused", 0, c.input)
		if errorName(err) != c.want || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %s %v, want %s", c.name, errorName(err), err, c.want)
		}
		overwrite := strings.Replace(c.input, `"destination":{"prefix"`, `"destination":{"overwrite":true,"prefix"`, 1)
		if overwrite != c.input {
			if p, err := b.plan("allowed", 0, overwrite); err != nil || p.ToDo != 1 {
				t.Errorf("%s: with overwrite: %+v, %v", c.name, p, err)
			}
		}
	}
	if left := b.Uploads(t); len(left) != 0 || b.has(workPrefix(executionNamed("refused"), 0)+"items.json") {
		t.Errorf("left: %v", left)
	}
}

func TestPlanOfABucketThatIsNotThere(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	s := b.storage()
	s.Name = "no-such-bucket"
	_, err := Planner{Storage: s}.Plan(t.Context(), Input{AssetIDs: []string{"a"}}, executionNamed("x"), 0)
	if errorName(err) != "DestinationRefused" || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("got %s %v", errorName(err), err)
	}
	s = b.storage()
	s.S3 = b.NewClient("https://127.0.0.1:1", nil)
	_, err = Planner{Storage: s}.Plan(t.Context(), Input{AssetIDs: []string{"a"}}, executionNamed("x"), 0)
	if errorName(err) != "DestinationUnavailable" || strings.Contains(err.Error(), "https://") {
		t.Errorf("got %s %v", errorName(err), err)
	}
}

// The map may ask for the plan twice, and a person may start the same again: with nothing finished, both get the same.
func TestPlanAgain(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	input := inline(ids(1, 1001), `,"destination":{"prefix":"c/"}`)
	first := b.mustPlan("run", 0, input)
	items := b.get(first.Items.Key)
	second := b.mustPlan("run", 0, input)
	if !reflect.DeepEqual(first, second) || b.get(second.Items.Key) != items {
		t.Error("a repeat planned something else")
	}
	redriven := b.mustPlan("run", 1, input)
	if redriven.Items == first.Items || redriven.Results == first.Results || redriven.RedriveCount != 1 {
		t.Errorf("a redrive shares the files of what it repeats: %+v", redriven)
	}
	was, is := b.items(first)[0].Execution, b.items(redriven)[0].Execution
	if was == is || digestIn(was) != digestIn(is) || digestIn(was) == "" {
		t.Errorf("names %q and %q: they must differ, and have the same digest", was, is)
	}
}

func TestPlanLeavesOutWhatIsFinished(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	const to = `,"destination":{"key":"c/heroes.zip"}`
	groups := b.items(b.mustPlan("one", 0, inline(ids(1, 3500), to)))
	done := []archive.Output{b.putArchive(groups[0].PlannedArchive, 1000), b.putArchive(groups[2].PlannedArchive, 7)}
	b.put("c/heroes-000x.zip", "none of ours", nil)
	b.put("c/heroes-0002.zip.part", "none of ours", nil)

	p := b.mustPlan("two", 0, inline(ids(1, 3500), to))
	if p.Archives != 4 || p.Finished != 2 || p.ToDo != 2 {
		t.Errorf("got %+v", p)
	}
	left := b.items(p)
	if len(left) != 2 || !slices.Equal(left[0].ids(), ids(1001, 2000)) || !slices.Equal(left[1].ids(), ids(3001, 3500)) {
		t.Errorf("left %d groups", len(left))
	}
	var r record
	if err := json.Unmarshal([]byte(b.get(p.Work+"plan.json")), &r); err != nil {
		t.Fatal(err)
	}
	if got := []archive.Output{*r.Archives[0].Finished, *r.Archives[2].Finished}; !reflect.DeepEqual(got, done) {
		t.Errorf("got %+v\nwant %+v", got, done)
	}

	// An archive that is deleted while the plan is made is missing, and in nobody's way.
	gone := b.storage()
	gone.S3 = vanishing{b.Client, "c/heroes-0001.zip"}
	there, err := gone.existing(t.Context(), naming{base: "c/heroes", digits: minDigits}, 4)
	if _, is := there["c/heroes-0001.zip"]; err != nil || is || len(there) != 1 {
		t.Errorf("got %v, %v", there, err)
	}

	// Other options make other archives: those that are there are in the way.
	_, err = b.plan("three", 0, inline(ids(1, 3500), to+`,"options":{"flat":true}`))
	if errorName(err) != "DestinationConflict" || !strings.Contains(err.Error(), "c/heroes-0001.zip") {
		t.Errorf("other options: got %v", err)
	}
	if _, err = b.plan("four", 0, inline(ids(2, 3501), to)); errorName(err) != "DestinationConflict" {
		t.Errorf("other assets: got %v", err)
	}
	if p, err := b.plan("five", 0, inline(ids(1, 2500), `,"destination":{"key":"c/heroes.zip","overwrite":true}`)); err != nil || p.Finished != 1 || p.ToDo != 2 {
		t.Errorf("a shorter list that may overwrite: %+v, %v", p, err)
	}
}

func TestPlanOfAFinishedBatchWritesNoItems(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	input := inline(ids(1, 1001), "")
	for _, g := range b.items(b.mustPlan("one", 0, input)) {
		b.putArchive(g.PlannedArchive, 1)
	}
	p := b.mustPlan("two", 0, input)
	if p.ToDo != 0 || p.Finished != 2 || b.has(p.Items.Key) {
		t.Errorf("got %+v", p)
	}
}

func TestPlanMeetsAnArchiveThatIsNone(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	input := inline(ids(1, 2), "")
	u := b.items(b.mustPlan("one", 0, input))[0].PlannedArchive
	for _, content := range []string{"", "no ZIP", strings.Repeat("PK", 400_000)} {
		b.put(u.Key, content, map[string]string{metadataExecution: u.Execution})
		if _, err := b.plan("two", 0, input); errorName(err) != "DestinationConflict" || !strings.Contains(err.Error(), "no ZIP archive") {
			t.Errorf("%d bytes: got %s %v", len(content), errorName(err), err)
		}
	}
}

func TestPlanReadsTheVersionThatIsNamed(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put("l.txt", "a\n", nil)
	_, err := b.plan("v", 0, `{"list":{"key":"l.txt","versionId":"01JDAAAAAAAAAAAAAAAAAAAAAA"}}`)
	if err == nil {
		t.Error("a version that is not there was read")
	}
}

func TestWorkPrefix(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"heroes", "..", ".", "a..b", "héros", "heros", "h-ros", strings.Repeat("n", 80), strings.Repeat("n", 79) + "m"} {
		got := workPrefix(executionNamed(name), 2)
		if other, twice := seen[got]; twice {
			t.Errorf("%q and %q have both %s", name, other, got)
		}
		seen[got] = name
		if !strings.HasPrefix(got, "batches/") || !strings.HasSuffix(got, "/2/") || strings.Contains(got, "..") || strings.Count(got, "/") != 3 {
			t.Errorf("%q: %s", name, got)
		}
	}
}

package main

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// hostileDrops are names and contents of what nobody with good intentions drops.
func hostileDrops() [][2]string {
	var list [][2]string
	for _, name := range []string{"../../x.json", "%2e%2e%2fx.json", "a%00.csv", "a\x00.json", "a\r\nX-Evil: 1.json", "<script>alert(1)</script>.json",
		strings.Repeat("n", 245) + ".csv", strings.Repeat("é", 120) + ".json", strings.Repeat("d/", 500) + "x.json", "..json", " .json", "\u202egpj.json",
		"a.json.csv", "a\\b.txt", "heroes.JSON", "heroes.xlsx", "x.error.json.json", "'; drop table.csv", "CON.json", "\xff\xfe.json", "日本.jsonl",
		"arn:aws:states:us-east-1:000000000000:execution:archive:other.json", "a//b.json", "./x.json", "*?[].txt", "$(id).json"} {
		list = append(list, [2]string{name, good}, [2]string{name, "{"}, [2]string{name, "asset_1\n"})
	}
	for _, content := range []string{strings.Repeat("a", 10<<20), strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 100_000), "\x00", "\xff\xfe", "",
		`{"query":{"assetIds":["a"]},"query":{"assetIds":["b"]}}`, `{"query":{"assetIds":["a"]},"timeoutSeconds":1e400}`, "null", "1e999",
		`{"query":{"assetIds":["a"]},"destination":{"key":"../../x"}}`, `{"query":{"assetIds":["a"]},"destination":{"key":"requests/x.json"}}`,
		`{"query":{"assetIds":["<img src=x onerror=alert(1)>"]}}`, `{"list":{"key":"requests/secret.csv"}}`, "{\"query\":{\"assetIds\":[\"a\xff\"]}}",
		`{"query":{"assetIds":["a"]},"unpack":{"prefix":"../x"}}`, "asset_1\rasset_2\nasset_3\r", "assetId,x\n\"", `{` + strings.Repeat(`"k":0,`, 1000) + `"a":1}`} {
		for _, end := range []string{"json", "csv", "txt", "jsonl"} {
			list = append(list, [2]string{"x." + end, content})
		}
	}
	return list
}

// receiveHostile delivers what was dropped twice. There is a note or an execution for it, and
// nothing else anywhere.
func receiveHostile(t *testing.T, name, content string) {
	t.Helper()
	f := newFixture(t)
	o := f.drop("requests/"+name, content)
	for range 2 {
		var failed Unfinished
		if err := f.handle(t.Context(), eventBridge(o)); errors.As(err, &failed) {
			t.Fatalf("%q: %v", name, err)
		}
	}
	if f.sfn.Started() > 1 {
		t.Errorf("%q: %d executions", name, f.sfn.Started())
	}
	notes := 0
	for key := range f.objects {
		if key == o.key || strings.HasPrefix(key, "batches/") {
			continue
		}
		notes++
		if !strings.HasPrefix(key, archive.RequestsPrefix) || len(path.Base(key)) > 255 || len(key) > 1024 || isRequest(key) {
			t.Errorf("%q: there is %q", name, key)
		}
		note := f.note(t, key)
		if cause := fmt.Sprint(note["cause"]); note["request"] != o.key && utf8.ValidString(o.key) || len(cause) > 5000 {
			t.Errorf("%q: note %.500v", name, note)
		}
	}
	if isRequest(o.key) && notes != 1 && utf8.ValidString(o.key) {
		t.Errorf("%q: %d notes", name, notes)
	}
	for _, input := range f.sfn.Inputs() {
		if strings.Contains(input, "../") || strings.Contains(input, `"key":"requests/x`) && !strings.Contains(input, `"list"`) {
			t.Errorf("%q: was started with %.300s", name, input)
		}
	}
}

func TestHostileDrops(t *testing.T) {
	t.Parallel()
	for _, h := range hostileDrops() {
		receiveHostile(t, h[0], h[1])
	}
}

func FuzzDrop(f *testing.F) {
	for _, h := range hostileDrops() {
		if len(h[1]) < 5000 {
			f.Add(h[0], h[1])
		}
	}
	f.Fuzz(receiveHostile)
}

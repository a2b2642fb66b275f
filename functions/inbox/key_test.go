package main

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/sync"
)

func objectOf(t *testing.T, event json.RawMessage) object {
	t.Helper()
	var n notification
	if err := json.Unmarshal(event, &n); err != nil {
		t.Fatal(err)
	}
	return n.object()
}

func TestKeysAreAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"requests/heroes and villains.csv", "requests/a+b.json", "requests/100%.txt", "requests/%41.json", "requests/a%2Fb.json",
		"requests/日本 é.json", "requests/../x.json", "requests/a\x00b.json", "requests/a&b=c?d#e.json", "requests/\u202egpj.json"} {
		want := object{"bucket", key, "v", "e", "S", "t"}
		if got := objectOf(t, eventBridge(want)); got != want {
			t.Errorf("%q: got %+v", key, got)
		}
	}
}

func TestEventFixture(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	want := object{"bucket", "requests/heroes and villains.csv", "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "b1946ac92492d2347c6235b4d2611184",
		"00617F08299329D189", "2026-01-02T15:04:05Z"}
	if got := objectOf(t, raw); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestSuspendedVersioningHasNoVersion(t *testing.T) {
	t.Parallel()
	if got := objectOf(t, eventBridge(object{version: "null"})); got != (object{}) {
		t.Errorf("got %+v", got)
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	if got := beside(stem("requests/a.b.json"), errorSuffix); got != "requests/a.b.error.json" {
		t.Errorf("got %s", got)
	}
	seen := map[string]bool{}
	for _, name := range []string{"requests/" + strings.Repeat("a", 244), "requests/" + strings.Repeat("a", 243) + "b", strings.Repeat("a", 1024),
		"requests/" + strings.Repeat("é", 507), "requests/" + strings.Repeat("d/", 400) + strings.Repeat("x", 215)} {
		got := beside(name, statusSuffix)
		if len(got) > 1024 || len(path.Base(got)) > 255 || !utf8.ValidString(got) || !strings.HasSuffix(got, statusSuffix) || seen[got] ||
			path.Dir(got) != path.Dir(name) {
			t.Errorf("%d bytes: %s", len(got), got)
		}
		seen[got] = true
	}
}

// On AWS the rule of the template decides what reaches this function. It must be everything that is read here, or is
// answered that it cannot be read.
func TestTheRulePassesEverythingOn(t *testing.T) {
	t.Parallel()
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := "object: { key: [prefix: " + archive.RequestsPrefix + ", prefix: " + sync.Prefix + "] }"; strings.Count(string(template), want) != 1 {
		t.Errorf("template.yaml has no rule with %q", want)
	}
}

func TestNamesThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"heroes.xlsx", "heroes", "heroes.zip", "heroes.Csv", "heroes.NDJSON"} {
		f := newFixture(t)
		if err := f.handle(t.Context(), eventBridge(f.drop("requests/"+name, "\"asset_1\""))); err != nil {
			t.Fatal(err)
		}
		note := f.note(t, "requests/heroes.error.json")
		if known := strings.HasSuffix(name, "Csv") || strings.HasSuffix(name, "JSON"); known != (f.sfn.Started() == 1) || known != (note == nil) ||
			!known && (note["error"] != "RequestInvalid" || !strings.Contains(note["cause"].(string), ".csv, .txt or .jsonl")) {
			t.Errorf("%s: %d executions, note %v", name, f.sfn.Started(), note)
		}
	}
}

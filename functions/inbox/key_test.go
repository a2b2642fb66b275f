package main

import (
	"encoding/json"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestKeysAsEachFormEncodesThem(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"requests/heroes and villains.csv", "requests/a+b.json", "requests/100%.txt", "requests/%41.json", "requests/a%2Fb.json",
		"requests/日本 é.json", "requests/../x.json", "requests/a\x00b.json", "requests/a&b=c?d#e.json", "requests/\u202egpj.json"} {
		want := object{"bucket", key, "v", "e", "S", "t"}
		for form, event := range map[string]json.RawMessage{"EventBridge": eventBridge(want), "S3": notificationOf(url.QueryEscape, want)} {
			if got, err := objects(event); err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%s, %q: got %+v, %v", form, key, got, err)
			}
		}
	}
}

func TestEventFixturesAreOneObject(t *testing.T) {
	t.Parallel()
	var read []object
	for _, file := range []string{"event.json", "event-s3.json"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := objects(raw)
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v %v", file, got, err)
		}
		read = append(read, got[0])
	}
	want := object{"bucket", "requests/heroes and villains.csv", "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "b1946ac92492d2347c6235b4d2611184",
		"00617F08299329D189", "2026-01-02T15:04:05Z"}
	if read[0] != want {
		t.Errorf("got %+v", read[0])
	}
	if executionName(read[0]) != executionName(read[1]) {
		t.Error("the two forms of one event have two names")
	}
}

func TestSuspendedVersioningHasNoVersion(t *testing.T) {
	t.Parallel()
	got, err := objects(eventBridge(object{version: "null"}))
	if err != nil || !reflect.DeepEqual(got, []object{{}}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestBeside(t *testing.T) {
	t.Parallel()
	if got := beside(stem("requests/a.b.json"), errorSuffix); got != "requests/a.b.error.json" {
		t.Errorf("got %s", got)
	}
	for _, name := range []string{strings.Repeat("a", 1024), "requests/" + strings.Repeat("é", 507)} {
		got := beside(name, statusSuffix)
		if len(got) > 1024 || len(got) < 1023 || !utf8.ValidString(got) || !strings.HasSuffix(got, statusSuffix) {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
}

package batch

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

func TestParseInput(t *testing.T) {
	t.Parallel()
	yes := true
	request := archive.Request{
		Options:     scenario.ArchiveOptions{Flat: &yes, FileNameTemplate: "<assetId>"},
		Destination: archive.DestinationRequest{Key: "c/heroes.zip", Overwrite: true, Tags: map[string]string{"team": "art"}},
		ProjectID:   "p", TimeoutSeconds: 90,
	}
	const fields = `"options":{"flat":true,"fileNameTemplate":"<assetId>"},"projectId":"p","timeoutSeconds":90,
		"destination":{"key":"c/heroes.zip","overwrite":true,"tags":{"team":"art"}}`
	for _, c := range []struct {
		name, raw string
		want      Input
	}{
		{"a list alone", `{"list":{"key":"requests/l.csv"}}`, Input{List: &List{Key: "requests/l.csv"}}},
		{"a list and all else", `{"list":{"key":"l","versionId":"v","format":"json"},"request":{` + fields + `},
			"maxConcurrency":7,"toleratedFailurePercentage":0,"batchSize":30,"Comment":"c","AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"a"}`,
			Input{List: &List{Key: "l", VersionID: "v", Format: FormatJSON}, Request: request, MaxConcurrency: 7, ToleratedFailurePercentage: new(0.0), BatchSize: 30}},
		{"a request", `{"query":{"assetIds":["a","b","a"]},` + fields + `}`, Input{AssetIDs: []string{"a", "b", "a"}, Request: request}},
		{"empty lists beside", `{"query":{"assetIds":["a"],"modelIds":[],"inferenceIds":null}}`, Input{AssetIDs: []string{"a"}}},
	} {
		got, err := ParseInput([]byte(c.raw))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestParseInputTakesThousands(t *testing.T) {
	t.Parallel()
	raw := `{"query":{"assetIds":["a` + strings.Repeat(`","a`, 9999) + `"]}}`
	if in, err := ParseInput([]byte(raw)); err != nil || len(in.AssetIDs) != 10_000 {
		t.Errorf("got %d IDs, %v", len(in.AssetIDs), err)
	}
}

func TestParseInputRefuses(t *testing.T) {
	t.Parallel()
	list := func(rest string) string { return `{"list":{"key":"l.csv"}` + rest + `}` }
	for _, c := range []struct{ name, raw, want string }{
		{"nothing", "", "not whole JSON"},
		{"cut short", `{"list":`, "not whole JSON"},
		{"two values", list("") + "{}", "followed by more text"},
		{"null", "null", "is null"},
		{"array", "[]", "JSON array"},
		{"empty object", "{}", "names no assets"},
		{"no query", `{"query":null}`, "names no assets"},
		{"no assets", `{"query":{"modelIds":["m"]}}`, "at least one asset ID"},
		{"empty assets", `{"query":{"assetIds":[]}}`, "at least one asset ID"},
		{"numbers", `{"query":{"assetIds":[1]}}`, "where a string is expected"},
		{"no ID", `{"query":{"assetIds":["a","b c"]}}`, `query.assetIds[1] is "b c"`},
		{"null ID", `{"query":{"assetIds":[null]}}`, `query.assetIds[0] is ""`},
		{"models beside", `{"query":{"assetIds":["a"],"modelIds":["m"]}}`, "query.modelIds cannot be divided"},
		{"misspelt query", `{"query":{"assetIds":["a"],"asetIds":[]}}`, "query.asetIds"},
		{"misspelt field", `{"query":{"assetIds":["a"]},"option":{}}`, `"option"`},
		{"a request without a list", `{"request":{}}`, `no "list"`},
		{"list and query", list(`,"query":{"assetIds":["a"]}`), "give one of them"},
		{"list and query within", list(`,"request":{"query":{"assetIds":["a"]}}`), `beside the "list"`},
		{"list null", `{"list":null}`, "names no object"},
		{"list without a key", `{"list":{}}`, "names no object"},
		{"archives too large", list(`,"batchSize":1001`), "batchSize is 1001"},
		{"archives too small", list(`,"batchSize":-1`), "batchSize is -1"},
		{"list of another type", `{"list":"l.csv"}`, `"list" in the request is a JSON string where an object`},
		{"list with more", `{"list":{"key":"l.csv","bucket":"b"}}`, "list.bucket"},
		{"misspelt beside the list", list(`,"maxConcurency":1`), "maxConcurency"},
		{"unknown format", `{"list":{"key":"l.csv","format":"xlsx"}}`, `list.format is "xlsx"`},
		{"format that is not in the name", `{"list":{"key":"l.dat"}}`, "cannot be read from its name"},
		{"concurrency below", list(`,"maxConcurrency":-1`), "from 1 to 10000"},
		{"concurrency above", list(`,"maxConcurrency":10001`), "from 1 to 10000"},
		{"percentage below", list(`,"toleratedFailurePercentage":-0.1`), "from 0 to 100"},
		{"percentage above", list(`,"toleratedFailurePercentage":100.5`), "from 0 to 100"},
		{"request of another type", list(`,"request":[]`), `"request" in the request is a JSON array where an object`},
		{"request that is wrong", list(`,"request":{"options":{"flatt":true}}`), "options.flatt"},
		{"place that is not allowed", list(`,"request":{"destination":{"key":"batches/x.zip"}}`), "batches/"},
	} {
		_, err := ParseInput([]byte(c.raw))
		if archive.NameOf(err) != archive.RequestInvalid {
			t.Errorf("%s: got %T (%v), want RequestInvalid", c.name, err, err)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.want)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%s: the message has %d bytes", c.name, len(err.Error()))
		}
	}
}

// The inbox and the API write inputs; the plan function reads them.
func TestInputIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	want := Input{
		List:           &List{Key: "l", VersionID: "v", Format: FormatText},
		Request:        archive.Request{Destination: archive.DestinationRequest{Prefix: "p/"}, ProjectID: "x", TimeoutSeconds: 60},
		MaxConcurrency: 3, ToleratedFailurePercentage: new(12.5),
	}
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseInput(raw); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func FuzzParseInput(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"list":{"key":"l.csv"},"request":{}}`, `{"query":{"assetIds":["a"]}}`,
		`{"query":{"assetIds":["a"],"":[]}}`, `{"list":{"key":"l.csv"},"request":{"destination":{"prefix":"../"}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := ParseInput(raw)
		if err != nil {
			if archive.NameOf(err) != archive.RequestInvalid {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		n, err := newNaming(in, "", digestOf("x"), "arn", 0, 12)
		if err != nil {
			return // a key that is too long with its number
		}
		for _, key := range []string{n.key(12), n.manifest()} {
			if strings.HasPrefix(key, "requests/") || strings.Contains("/"+key+"/", "/../") || key[0] == '/' {
				t.Fatalf("key %q", key)
			}
		}
		if name := n.execution(12, digestOf("y")[:digestDigits]); len(name) > 80 {
			t.Fatalf("name %q", name)
		}
	})
}

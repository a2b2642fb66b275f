package archive

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/scenario"
)

func TestParseRequest(t *testing.T) {
	t.Parallel()
	yes := true
	got, err := ParseRequest([]byte(`{
		"query":   {"assetIds": ["asset_1"], "inferenceIds": [], "modelIds": ["model_1"]},
		"options": {"flat": true, "fileNameTemplate": "<assetId>"},
		"destination": {"prefix": "characters/", "overwrite": true, "tags": {"team": "art"}},
		"projectId": "proj_1", "timeoutSeconds": 90, "Comment": "from the console"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Request{
		Query: scenario.Query{AssetIDs: []string{"asset_1"}, InferenceIDs: []string{}, ModelIDs: []string{"model_1"}},
		Options: scenario.ArchiveOptions{
			Flat: &yes, FileNameTemplate: "<assetId>",
		},
		Destination:    DestinationRequest{Prefix: "characters/", Overwrite: true, Tags: map[string]string{"team": "art"}},
		ProjectID:      "proj_1",
		TimeoutSeconds: 90,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func ids(n int) string { return `["a` + strings.Repeat(`","a`, n-1) + `"]` }

func query(rest string) string { return `{"query":{"assetIds":["a"]}` + rest + `}` }

func TestParseRequestLimits(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"1000 assets":                `{"query":{"assetIds":` + ids(1000) + `}}`,
		"one inference":              `{"query":{"inferenceIds":["i"]}}`,
		"one model":                  `{"query":{"modelIds":["m"]}}`,
		"ID of 256 bytes":            `{"query":{"assetIds":["` + strings.Repeat("a", 256) + `"]}}`,
		"shortest deadline":          query(`,"timeoutSeconds":30`),
		"longest deadline":           query(`,"timeoutSeconds":86400`),
		"key of 1024 bytes":          query(`,"destination":{"key":"` + strings.Repeat("k", 1024) + `"}`),
		"key with Unicode":           query(`,"destination":{"key":"héros/été ☀.zip"}`),
		"prefix without a slash":     query(`,"destination":{"prefix":"characters"}`),
		"longest prefix":             query(`,"destination":{"prefix":"` + strings.Repeat("p", 1024-80-5) + `"}`),
		"ten tags":                   query(`,"destination":{"tags":{"0":"","1":"","2":"","3":"","4":"","5":"","6":"","7":"","8":"","9":""}}`),
		"null where nothing is said": query(`,"options":null,"destination":null`),
		"a parent execution's mark":  query(`,"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"arn"`),
	} {
		if _, err := ParseRequest([]byte(raw)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRequestRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, raw, want string }{
		{"nothing", "", "not whole JSON"},
		{"cut short", `{"query":`, "not whole JSON"},
		{"syntax error", "{\n  \"query\": }", "line 2, column 12"},
		{"two values", query("") + "{}", "followed by more text"},
		{"null", "null", "must be a JSON object"},
		{"array", "[]", "JSON array; it must be an object"},
		{"string", `"asset_1"`, "JSON string; it must be an object"},
		{"empty object", "{}", "names nothing to archive"},
		{"empty lists", `{"query":{"assetIds":[],"modelIds":[]}}`, "names nothing to archive"},
		{"1001 assets", `{"query":{"assetIds":` + ids(1001) + `}}`, "query.assetIds has 1001 IDs; Scenario puts at most 1000"},
		{"1001 models", `{"query":{"modelIds":` + ids(1001) + `}}`, "query.modelIds has 1001"},
		{"empty ID", `{"query":{"assetIds":["a",""]}}`, "query.assetIds[1]"},
		{"ID of 257 bytes", `{"query":{"assetIds":["` + strings.Repeat("a", 257) + `"]}}`, "no ID"},
		{"ID with a slash", `{"query":{"inferenceIds":["../x"]}}`, `query.inferenceIds[0] is "../x"`},
		{"ID with NUL", `{"query":{"assetIds":["a\u0000"]}}`, "no ID"},
		{"list of numbers", `{"query":{"assetIds":[1]}}`, `"query.assetIds" in the request is a JSON number where a string`},
		{"list that is a string", `{"query":{"assetIds":"a"}}`, "where an array is expected"},
		{"query that is a list", `{"query":["a"]}`, `"query" in the request is a JSON array where an object`},
		{"flat as text", query(`,"options":{"flat":"yes"}`), "where true or false is expected"},
		{"unknown at the top", query(`,"querry":{},"zip":1`), `"querry", "zip"`},
		{"unknown deeper", query(`,"options":{"flatt":true},"destination":{"bucket":"b"}`), `"destination.bucket", "options.flatt"`},
		{"unknown with a long name", query(`,"` + strings.Repeat("x", 5000) + `":1`), strings.Repeat("x", 100) + "…"},
		{"deadline too short", query(`,"timeoutSeconds":29`), "from 30 to 86400"},
		{"deadline too long", query(`,"timeoutSeconds":86401`), "from 30 to 86400"},
		{"deadline negative", query(`,"timeoutSeconds":-1`), "from 30 to 86400"},
		{"deadline in parts", query(`,"timeoutSeconds":1.5`), "where a whole number is expected"},
		{"project with a space", query(`,"projectId":"a b"`), "projectId"},
		{"template too long", query(`,"options":{"fileNameTemplate":"` + strings.Repeat("t", 1025) + `"}`), "longer than 1024"},
		{"template with a newline", query(`,"options":{"fileNameTemplate":"a\n"}`), "control character"},
		{"key and prefix", query(`,"destination":{"key":"a","prefix":"b"}`), "give one of them"},
		{"key of 1025 bytes", query(`,"destination":{"key":"` + strings.Repeat("k", 1025) + `"}`), "1025 bytes; S3 allows 1024"},
		{"prefix too long for a name", query(`,"destination":{"prefix":"` + strings.Repeat("p", 1024-80-4) + `"}`), "1025 bytes"},
		{"key that escapes", query(`,"destination":{"key":"../other/x.zip"}`), `"." or ".."`},
		{"key that escapes inside", query(`,"destination":{"key":"a/../../x.zip"}`), `"." or ".."`},
		{"key with a dot", query(`,"destination":{"key":"a/./x.zip"}`), `"." or ".."`},
		{"key from the root", query(`,"destination":{"key":"/etc/passwd"}`), "slash at its start"},
		{"key of a folder", query(`,"destination":{"key":"a/"}`), "slash at its start or end"},
		{"key with an empty part", query(`,"destination":{"key":"a//b"}`), "empty parts"},
		{"key with NUL", query(`,"destination":{"key":"a\u0000b"}`), "control character"},
		{"key with half a rune", query(`,"destination":{"key":"a\ud800b"}`), "broken UTF-8"},
		{"key among the requests", query(`,"destination":{"key":"requests/a.json"}`), "requests are dropped"},
		{"prefix among the requests", query(`,"destination":{"prefix":"requests"}`), "requests are dropped"},
		{"key that is the requests' folder", query(`,"destination":{"key":"requests"}`), "requests are dropped"},
		{"key that is the batches' folder", query(`,"destination":{"key":"batches"}`), "batches keep files"},
		{"archive name with a newline", query(`,"options":{"archiveName":"a\n"}`), "options.archiveName"},
		{"key among the batches' files", query(`,"destination":{"key":"batches/a.zip"}`), "batches keep files"},
		{"prefix that escapes", query(`,"destination":{"prefix":"../"}`), `"." or ".."`},
		{"eleven tags", query(`,"destination":{"tags":{"0":"","1":"","2":"","3":"","4":"","5":"","6":"","7":"","8":"","9":"","a":""}}`), "S3 allows 10"},
		{"tag without a name", query(`,"destination":{"tags":{"":"x"}}`), "no name"},
		{"tag of S3's own", query(`,"destination":{"tags":{"AWS:x":"x"}}`), "begins with aws:"},
		{"tag value too long", query(`,"destination":{"tags":{"a":"` + strings.Repeat("v", 257) + `"}}`), "256 for its value"},
		{"tag with a newline", query(`,"destination":{"tags":{"a":"\n"}}`), "not one that S3 takes"},
	} {
		_, err := ParseRequest([]byte(c.raw))
		if NameOf(err) != RequestInvalid {
			t.Errorf("%s: got %T (%v), want RequestInvalid", c.name, err, err)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.want)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%s: the message has %d bytes", c.name, len(err.Error()))
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{"", "{}", query(""), query(`,"destination":{"key":"a/../b"}`), `{"query":{"assetIds":[null]}}`,
		"[[[[", `{"query":{"assetIds":["a"]},"query":null}`, "\xef\xbb\xbf{}",
		`{"query":{"assetIds":["a"]},"query":{"assetIds":["b"]}}`, `{"query":{"assetIds":["a\u0000"]}}`, "\xff", "\x00", `{"a":1e309}`,
		query(`,"destination":{"key":"../%2e%2e/\r\nx: y"}`), query(`,"timeoutSeconds":1e400`), query(`,"timeoutSeconds":99999999999999999999`),
		query(`,"options":{"fileNameTemplate":"<script>alert(1)</script>"}`), query(`,"destination":{"tags":{"a\u2028":"\ud800"}}`)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ParseRequest(raw)
		if err != nil {
			if NameOf(err) != RequestInvalid {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		d, err := r.Resolve("bucket", "", "name")
		if err != nil {
			t.Fatalf("accepted, but has no place to go: %v", err)
		}
		if strings.HasPrefix(d.Key, RequestsPrefix) || strings.Contains("/"+d.Key+"/", "/../") {
			t.Fatalf("key %q", d.Key)
		}
		if text, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		} else if _, err := ParseRequest(text); err != nil {
			t.Fatalf("what was accepted is refused when it is written again: %v: %s", err, text)
		}
	})
}

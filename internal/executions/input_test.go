package executions

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

func input(t *testing.T, raw string) string {
	t.Helper()
	r, err := archive.ParseRequest([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	in, err := Input(r)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestInputIsOneTextForOneRequest(t *testing.T) {
	t.Parallel()
	want := `{"query":{"assetIds":["a","b"]},"options":{"fileNameTemplate":"<assetId>"},"destination":{"key":"x.zip"}}`
	for _, raw := range []string{
		want,
		"{ \"destination\": {\"key\":\"x.zip\"},\n\"options\":{\"fileNameTemplate\":\"\\u003cassetId>\", \"flat\":null}," +
			"\"query\":{\"modelIds\":[],\"assetIds\":[\"a\",\"b\"]}}",
	} {
		if got := input(t, raw); got != want {
			t.Errorf("%s: got %s", raw, got)
		}
	}
	if input(t, `{"query":{"assetIds":["a","b"]}}`) == input(t, `{"query":{"assetIds":["b","a"]}}`) {
		t.Error("the order of the assets makes no difference")
	}
}

func TestInputIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		idBytes int
		fits    bool
	}{{250, true}, {256, false}} {
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprintf("%0*d", c.idBytes, i))
		}
		var r archive.Request
		r.Query.AssetIDs = ids
		_, err := Input(r)
		if (err == nil) != c.fits {
			t.Errorf("1000 IDs of %d bytes: %v", c.idBytes, err)
		}
		if err != nil && (archive.NameOf(err) != archive.RequestInvalid || !strings.Contains(err.Error(), "split the list")) {
			t.Errorf("got %T: %v", err, err)
		}
	}
}

func TestSameInput(t *testing.T) {
	t.Parallel()
	canonical := input(t, `{"query":{"assetIds":["a"]}}`)
	for stored, want := range map[string]bool{
		canonical:                                 true,
		` {"query": {"assetIds": ["a"]}}`:         true,
		`{"query":{"assetIds":["b"]}}`:            false,
		`{"query":{"assetIds":["a"]},"future":1}`: false,
		`not JSON`:                                false,
	} {
		if got := sameInput(stored, canonical); got != want {
			t.Errorf("%s: got %v", stored, got)
		}
	}
	const listed = `{"list":{"key":"l.txt"},"request":{"options":{},"destination":{"key":"x.zip"}}}`
	earlier := `{"list":{"key":"l.txt"},"request":{"destination":{"key":"x.zip"},"options":{}}}`
	if !sameInput(earlier, listed) || sameInput(strings.Replace(earlier, "x.zip", "y.zip", 1), listed) {
		t.Error("a batch's input of an earlier release is another one")
	}
}

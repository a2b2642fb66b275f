package archive

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/scenario-archive/scenario-archive/scenario"
)

func TestMissing(t *testing.T) {
	t.Parallel()
	abc := Request{Query: scenario.Query{AssetIDs: []string{"c", "a", "b", "a"}}}
	named := func(template string) Request {
		r := abc
		r.Options.FileNameTemplate = template
		return r
	}
	model := abc
	model.Query.ModelIDs = []string{"m"}
	for _, c := range []struct {
		name    string
		request Request
		files   []string
		want    *Missing
	}{
		{"all", abc, []string{"a.png", "b.png", "c.png"}, nil},
		{"more", abc, []string{"a.png", "b.png", "c.png", "d.png"}, nil},
		{"one missing", abc, []string{"c.png", "x/a.tar.gz"}, &Missing{Count: 1}},
		{"one missing, by name", abc, []string{"c.png", "x/a.png"}, &Missing{Count: 1, AssetIDs: []string{"b"}}},
		{"two missing", named("<id>"), []string{"b"}, &Missing{Count: 2, AssetIDs: []string{"a", "c"}}},
		{"two missing, the guide's name", named("<assetId>"), []string{"b.png"}, &Missing{Count: 2, AssetIDs: []string{"a", "c"}}},
		{"names without IDs", named("<prompt>"), []string{"a.png", "b.png"}, &Missing{Count: 1}},
		{"another file", abc, []string{"a.png", "read me.txt"}, &Missing{Count: 1}},
		{"two of one asset", abc, []string{"a.png", "a.json"}, &Missing{Count: 1}},
		{"a model", model, []string{"a.png"}, nil},
	} {
		if got := c.request.Missing(int64(len(c.files)), c.files); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := abc.Missing(2, nil); !reflect.DeepEqual(got, &Missing{Count: 1}) {
		t.Errorf("without names: got %+v", got)
	}
	var many Request
	for i := range 1000 {
		many.Query.AssetIDs = append(many.Query.AssetIDs, fmt.Sprintf("asset_%04d", i))
	}
	if got := many.Missing(1, []string{"asset_0000.png"}); got.Count != 999 || len(got.AssetIDs) != 100 || got.AssetIDs[0] != "asset_0001" {
		t.Errorf("got %+v", got)
	}
}

func TestLeastEntries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		request                    string
		requested, least, strictly int64
	}{
		{`"query":{"assetIds":["a","b","a"]}`, 2, 1, 2},
		{`"query":{"assetIds":["a"],"inferenceIds":["i"]}`, 0, 1, 1},
		{`"query":{"modelIds":["m"]}`, 0, 1, 1},
	} {
		for strict, want := range map[string]int64{"false": c.least, "true": c.strictly} {
			r, err := ParseRequest([]byte("{" + c.request + `,"strict":` + strict + "}"))
			if err != nil || r.Requested() != c.requested || r.LeastEntries() != want {
				t.Errorf("%s, strict %s: %d requested, at least %d, %v", c.request, strict, r.Requested(), r.LeastEntries(), err)
			}
		}
	}
}

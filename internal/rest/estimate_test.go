package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// estimating is an API whose Scenario asks for two units an asset.
func estimating(t *testing.T, asked *[]scenario.ArchiveRequest, fail error) *fixture {
	t.Helper()
	return newFixture(t, func(o *Options) {
		o.Estimate = func(_ context.Context, r scenario.ArchiveRequest) (scenario.Estimate, error) {
			*asked = append(*asked, r)
			cost := 2 * float64(len(r.Query.AssetIDs))
			e := scenario.Estimate{CreativeUnitsCost: &cost, Raw: json.RawMessage(fmt.Sprintf(`{"creativeUnitsCost":%g,"more":1}`, cost))}
			if r.ProjectID == "silent" {
				e = scenario.Estimate{Raw: json.RawMessage(`{}`)}
			}
			return e, fail
		}
	})
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		body, want string
		calls      int
	}{
		"an archive": {`{"query":{"assetIds":["a","b"]},"projectId":"p"}`,
			`{"archives":1,"creativeUnitsCost":4,"estimates":[{"creativeUnitsCost":4,"more":1}]}`, 1},
		"a batch": {assets(1, 2001, ""), `{"archives":3,"creativeUnitsCost":4002,"estimates":[{"creativeUnitsCost":2000,"more":1},` +
			`{"creativeUnitsCost":2000,"more":1},{"creativeUnitsCost":2,"more":1}]}`, 3},
		"no number": {`{"query":{"assetIds":["a"]},"projectId":"silent"}`, `{"archives":1,"estimates":[{}]}`, 1},
	} {
		var asked []scenario.ArchiveRequest
		f := estimating(t, &asked, nil)
		a := f.do(t, "POST", "/archives?dryRun=true", c.body)
		if a.status != 200 || strings.TrimSpace(a.raw) != c.want || len(asked) != c.calls {
			t.Errorf("%s: got %d %s", what, a.status, a.raw)
		}
		if f.sfn.Started() != 0 || len(f.lists.puts)+len(f.lists.claims) != 0 {
			t.Errorf("%s: something was started or written", what)
		}
	}
	var asked []scenario.ArchiveRequest
	f := estimating(t, &asked, nil)
	if a := f.do(t, "POST", "/archives?dryRun=false", good); a.status != 202 || len(asked) != 0 {
		t.Errorf("dryRun=false: got %d %s", a.status, a.raw)
	}
}

func TestEstimatesThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query, body string
		fail        error
		status      int
		error       kind
		says        string
	}{
		{"dryRun=1", good, nil, 400, errParameterInvalid, "true or false"},
		{"dryRun=true", `{"query":`, nil, 400, errRequestInvalid, "JSON"},
		{"dryRun=true", `{"query":{}}`, nil, 422, errRequestInvalid, ""},
		{"dryRun=true", assets(1, 10_001, ""), nil, 422, errRequestInvalid, "10000 assets"},
		{"dryRun=true", good, &scenario.Error{Kind: scenario.KindUnauthorized}, 500, errMisconfigured, "Scenario refuses"},
		{"dryRun=true", good, &scenario.Error{Kind: scenario.KindRateLimited}, 429, errRateLimited, "fewer"},
		{"dryRun=true", good, &scenario.Error{Kind: scenario.KindUnavailable}, 503, errServiceUnavailable, "try again"},
		{"dryRun=true", good, &scenario.Error{Kind: scenario.KindNotFound}, 422, errRequestInvalid, "does not know"},
		{"dryRun=true", good, archive.NewError(archive.Misconfigured, nil, "no secret"), 500, errMisconfigured, "Scenario refuses"},
	} {
		var asked []scenario.ArchiveRequest
		estimating(t, &asked, c.fail).do(t, "POST", "/archives?"+c.query, c.body).problem(t, c.status, c.error, c.says)
	}
	newFixture(t).do(t, "POST", "/archives?dryRun=true", good).problem(t, 500, errMisconfigured, "no access to Scenario")
}

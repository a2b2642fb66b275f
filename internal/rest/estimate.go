package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// maxEstimates is how many archives of a batch are estimated: each is a call of Scenario's API, and the gateway waits
	// 29 s for all of them.
	maxEstimates = 10
	estimateTime = 25 * time.Second
)

// estimateView is what a request would cost at Scenario.
type estimateView struct {
	Archives int `json:"archives"` // that it would make
	// CreativeUnitsCost is the sum; it is left out where Scenario names no number.
	CreativeUnitsCost *float64 `json:"creativeUnitsCost,omitempty"`
	// Estimates are Scenario's answers as they came, one for each archive.
	Estimates []json.RawMessage `json:"estimates"`
}

// estimate serves POST /archives?dryRun=true. It starts nothing, and writes nothing.
func (a *api) estimate(w http.ResponseWriter, r *http.Request, body []byte) error {
	if a.Estimate == nil {
		return errMisconfigured.problem("this deployment's API has no access to Scenario, which would be asked")
	}
	requests, err := requestsIn(body)
	if err != nil {
		return notJSON(body, err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), estimateTime)
	defer cancel()
	v := estimateView{Archives: len(requests), CreativeUnitsCost: new(float64), Estimates: []json.RawMessage{}}
	for _, request := range requests {
		e, err := a.Estimate(ctx, scenario.ArchiveRequest{Query: request.Query, Options: request.Options, ProjectID: request.ProjectID})
		if err != nil {
			return archive.FromScenario(err)
		}
		v.Estimates = append(v.Estimates, e.Raw)
		if e.CreativeUnitsCost == nil {
			v.CreativeUnitsCost = nil
		} else if v.CreativeUnitsCost != nil {
			*v.CreativeUnitsCost += *e.CreativeUnitsCost
		}
	}
	writeJSON(w, http.StatusOK, "application/json", v)
	return nil
}

// requestsIn are the archives that a body asks for: one, or those of a batch.
func requestsIn(body []byte) ([]archive.Request, error) {
	if !batch.IsLong(body) {
		r, err := archive.ParseRequest(body)
		return []archive.Request{r}, err
	}
	in, err := batch.ParseInput(body)
	if err != nil {
		return nil, err
	}
	var requests []archive.Request
	for ids := range slices.Chunk(batch.Unique(in.AssetIDs), scenario.MaxAssets) {
		r := in.Request
		r.Query.AssetIDs = ids
		requests = append(requests, r)
	}
	if len(requests) > maxEstimates {
		return nil, errRequestInvalid.problem("an estimate is made for at most %d assets; "+
			"ask for parts of the list", maxEstimates*scenario.MaxAssets)
	}
	return requests, nil
}

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
)

// statusEstimate is what the API answers a dry run with ("the call returns a 269 response", API reference).
const statusEstimate = 269

// Estimate is what an archive would cost.
type Estimate struct {
	// CreativeUnitsCost is the cost; nil where the answer has no such number. The answer's shape is not documented.
	CreativeUnitsCost *float64
	// Raw is the whole answer.
	Raw json.RawMessage
}

// EstimateArchive asks what an archive would cost, and launches nothing. It asks the API reference's endpoint whatever
// Options.Endpoint says: the guide describes no dry run, and an endpoint that took no notice of dryRun=true would launch.
// Every error is an [*Error].
func (c *Client) EstimateArchive(ctx context.Context, r ArchiveRequest) (Estimate, error) {
	if err := r.Validate(); err != nil {
		return Estimate{}, err
	}
	call := call{op: opEstimate, path: "assets/" + string(EndpointDownload), projectID: r.ProjectID,
		query: url.Values{"dryRun": {"true"}}}
	return fetch(ctx, c, call, r.body(EndpointDownload), parseEstimate)
}

func parseEstimate(got answer) (Estimate, error) {
	if job, err := parseJobAnswer(got.body); err == nil && job.id != "" {
		return Estimate{}, errors.New("it launched a job in place of estimating its cost")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(got.body, &fields); err != nil {
		return Estimate{}, errors.New("the answer is not a JSON object")
	}
	if got.status != statusEstimate && fields["creativeUnitsCost"] == nil {
		return Estimate{}, errors.New("the answer is no estimate")
	}
	estimate := Estimate{Raw: got.body}
	var cost float64
	if raw := fields["creativeUnitsCost"]; raw != nil && json.Unmarshal(raw, &cost) == nil {
		estimate.CreativeUnitsCost = &cost
	}
	return estimate, nil
}

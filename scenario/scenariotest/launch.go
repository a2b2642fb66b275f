package scenariotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

const (
	maxAssets      = 1000
	statusEstimate = 269
)

type query struct {
	AssetIDs     []string `json:"assetIds,omitempty"`
	InferenceIDs []string `json:"inferenceIds,omitempty"`
	ModelIDs     []string `json:"modelIds,omitempty"`
}

type launchBody struct {
	Query   *query `json:"query"`
	Options *struct {
		Flat             bool    `json:"flat"`
		FileNameTemplate *string `json:"fileNameTemplate,omitempty"`
		ArchiveName      string  `json:"archiveName,omitempty"`    // accepted, without effect
		PreferOriginal   bool    `json:"preferOriginal,omitempty"` // accepted, without effect
	} `json:"options"`
}

// decodeStrictly decodes one JSON value. Its errors name what is wrong.
func decodeStrictly(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("invalid request body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("invalid request body: more than one JSON value")
	}
	return nil
}

func (h *Handler) launchArchive(r *http.Request, body []byte, fault Fault) *reply {
	j, refused := h.launch(r, OpLaunchArchive, body, fault)
	if refused != nil {
		return refused
	}
	return success(map[string]any{"job": h.describe(r, j)})
}

func (h *Handler) launchDownload(r *http.Request, body []byte, fault Fault) *reply {
	j, refused := h.launch(r, OpLaunchDownload, body, fault)
	if refused != nil {
		return refused
	}
	return success(map[string]any{"jobId": j.ID})
}

func (h *Handler) launch(r *http.Request, op Operation, body []byte, fault Fault) (*job, *reply) {
	var launch launchBody
	if err := decodeStrictly(body, &launch); err != nil {
		return nil, failure(http.StatusBadRequest, err.Error())
	}
	if refused := launch.refusal(op); refused != nil {
		return nil, refused
	}
	if op == OpLaunchDownload && r.URL.Query().Has("dryRun") {
		return nil, h.estimate(launch)
	}
	j := h.newJob(launch, op)
	gone, err := h.catalogue.enter(j.Assets)
	if err != nil {
		return nil, failure(http.StatusInternalServerError, "The catalogue could not be kept: "+err.Error())
	}
	if gone != "" {
		return nil, noAsset(gone)
	}
	j.Project = r.URL.Query().Get("projectId")
	if len(j.Assets) > maxAssets {
		return nil, tooMany(len(j.Assets))
	}
	if fault.Outcome != "" {
		j.Outcome, j.Reason = fault.Outcome, fault.Reason
	}
	switch taken, err := h.jobs.add(j, h.options.MaxConcurrentJobs); {
	case err != nil:
		return nil, failure(http.StatusInternalServerError, "The job could not be kept: "+err.Error())
	case !taken:
		return nil, tooManyJobs(h.options.MaxConcurrentJobs)
	}
	return j, nil
}

// tooManyJobs is the answer above a per-team ceiling.
func tooManyJobs(limit int) *reply {
	const action = "assets-download-concurrency"
	r := failure(http.StatusTooManyRequests, fmt.Sprintf("Too many requests for this team: %s is limited to %d", action, limit))
	r.body["details"] = map[string]any{"actionName": action, "actionLimit": limit}
	r.retryAfter = "1"
	return r
}

func (h *Handler) newJob(launch launchBody, op Operation) *job {
	j := &job{
		ID: newJobID(), Launched: op, Created: h.options.Now(), Duration: h.options.JobDuration,
		Assets: expand(*launch.Query, h.options.AssetsPerSource), Outcome: statusSuccess,
		Asked: map[string]any{"query": launch.Query, "options": launch.Options},
	}
	if o := launch.Options; o != nil {
		j.Flat = o.Flat
		if o.FileNameTemplate != nil {
			j.Template = *o.FileNameTemplate
		}
	}
	j.misbehave()
	return j
}

// refusal is the answer to a launch that is wrong; nil: it is not.
func (l launchBody) refusal(op Operation) *reply {
	if l.Query == nil {
		return failure(http.StatusBadRequest, "query is required")
	}
	q, sources := *l.Query, slices.Concat(l.Query.InferenceIDs, l.Query.ModelIDs)
	switch {
	case len(q.AssetIDs)+len(sources) == 0:
		return failure(http.StatusBadRequest, "query must have at least one of assetIds, inferenceIds, modelIds")
	case op == OpLaunchDownload && (l.Options == nil || l.Options.FileNameTemplate == nil):
		return failure(http.StatusBadRequest, "options.fileNameTemplate is required")
	case len(q.AssetIDs) > maxAssets:
		return tooMany(len(q.AssetIDs))
	case slices.ContainsFunc(sources, func(id string) bool { return strings.TrimSpace(id) == "" }):
		return failure(http.StatusBadRequest, "an ID of query is empty")
	}
	for _, id := range q.AssetIDs {
		if !exists(id) {
			return noAsset(id)
		}
	}
	return nil
}

func noAsset(id string) *reply { return failure(http.StatusNotFound, "Asset "+id+" was not found") }

func tooMany(n int) *reply {
	return failure(http.StatusBadRequest, fmt.Sprintf("batch limited to %d assets, got %d", maxAssets, n))
}

// estimate answers a dry run: HTTP 269, and nothing is launched. The cost is made up: nobody knows it.
func (h *Handler) estimate(launch launchBody) *reply {
	assets := len(expand(*launch.Query, h.options.AssetsPerSource))
	return &reply{status: statusEstimate, body: map[string]any{"creativeUnitsCost": float64(assets) / 100}}
}

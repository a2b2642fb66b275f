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

const maxAssets = 1000

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

// decodeStrictly decodes one JSON object. Its errors name what is wrong.
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
	return &reply{status: http.StatusOK, body: map[string]any{"job": h.describe(r, j)}}
}

func (h *Handler) launchDownload(r *http.Request, body []byte, fault Fault) *reply {
	j, refused := h.launch(r, OpLaunchDownload, body, fault)
	if refused != nil {
		return refused
	}
	return &reply{status: http.StatusOK, body: map[string]any{"jobId": j.ID}}
}

func (h *Handler) launch(r *http.Request, op Operation, body []byte, fault Fault) (*job, *reply) {
	var launch launchBody
	if err := decodeStrictly(body, &launch); err != nil {
		return nil, failure(http.StatusBadRequest, err.Error())
	}
	if status, problem := launch.problem(op); status != 0 {
		return nil, failure(status, problem)
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
		return nil, failure(http.StatusNotFound, "Asset "+gone+" was not found")
	}
	j.Project = r.URL.Query().Get("projectId")
	if len(j.Assets) > maxAssets {
		return nil, failure(http.StatusBadRequest, tooMany(len(j.Assets)))
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

// problem says what is wrong with a launch, with its status; 0: nothing.
func (l launchBody) problem(op Operation) (status int, problem string) {
	if l.Query == nil {
		return http.StatusBadRequest, "query is required"
	}
	q := *l.Query
	if len(q.AssetIDs)+len(q.InferenceIDs)+len(q.ModelIDs) == 0 {
		return http.StatusBadRequest, "query must have at least one of assetIds, inferenceIds, modelIds"
	}
	if op == OpLaunchDownload && (l.Options == nil || l.Options.FileNameTemplate == nil) {
		return http.StatusBadRequest, "options.fileNameTemplate is required"
	}
	if len(q.AssetIDs) > maxAssets {
		return http.StatusBadRequest, tooMany(len(q.AssetIDs))
	}
	for _, id := range slices.Concat(q.InferenceIDs, q.ModelIDs) {
		if strings.TrimSpace(id) == "" {
			return http.StatusBadRequest, "an ID of query is empty"
		}
	}
	for _, id := range q.AssetIDs {
		if !exists(id) {
			return http.StatusNotFound, "Asset " + id + " was not found"
		}
	}
	return 0, ""
}

func tooMany(n int) string {
	return fmt.Sprintf("batch limited to %d assets, got %d", maxAssets, n)
}

package scenario

import (
	"cmp"
	"fmt"
	"strings"
)

// MaxAssets is the greatest number of assets in one archive ("batch limited to 1000 assets", API reference). The API
// counts the assets of inferences and models too, which a client cannot.
const MaxAssets = 1000

// DefaultFileNameTemplate is what the client fills in for [EndpointDownload], whose description lists fileNameTemplate
// as required, when a request has none: every file is named by its asset's ID, which is unique. The reference calls that
// placeholder <id> (as in the official SDK's documentation of the parameter); the guide calls it <assetId>.
const DefaultFileNameTemplate = "<id>"

// Query chooses the assets of an archive; at least one list is not empty.
type Query struct {
	// AssetIDs are assets, one by one; at most MaxAssets.
	AssetIDs []string `json:"assetIds,omitempty"`
	// InferenceIDs and ModelIDs stand for every asset that was issued from them. Only the API reference describes
	// them, so EndpointAuto tries EndpointDownload first for a query that has any.
	InferenceIDs []string `json:"inferenceIds,omitempty"`
	ModelIDs     []string `json:"modelIds,omitempty"`
}

// ArchiveOptions shape the archive; the zero value leaves all to the API.
type ArchiveOptions struct {
	// Flat puts all files at the archive's root, without folders; nil leaves it to the API.
	Flat *bool `json:"flat,omitempty"`
	// FileNameTemplate names the files, with placeholders such as <prompt>, <num>, <generator>, <seed>, and <assetId>
	// or <id>. See DefaultFileNameTemplate for what an empty one means. It is sent as it is.
	FileNameTemplate string `json:"fileNameTemplate,omitempty"`
	// ArchiveName is the archive's name at Scenario, without ".zip"; empty: <YYYYMMDD>-export. Only the API reference
	// describes it and PreferOriginal, so EndpointAuto tries EndpointDownload first for a request that has either.
	ArchiveName string `json:"archiveName,omitempty"`
	// PreferOriginal takes each file as it was first uploaded, where that was kept; it never fails. The file then has the
	// extension of that format.
	PreferOriginal bool `json:"preferOriginal,omitempty"`
}

// ArchiveRequest asks for one archive. Its JSON is the body that the API takes.
type ArchiveRequest struct {
	Query   Query          `json:"query"`
	Options ArchiveOptions `json:"options"`
	// ProjectID scopes the job to one project; empty: the one of the key. It travels in the URL's query.
	ProjectID string `json:"-"`
}

// Validate reports what the API would refuse, without asking it: an empty query, an empty ID, more than MaxAssets asset
// IDs. The error is a [*Error] of KindInvalid whose Reason says what to change. LaunchArchive calls it.
func (r ArchiveRequest) Validate() error {
	if reason := r.Query.problem(); reason != "" {
		return &Error{Op: opLaunch, Kind: KindInvalid, Reason: reason}
	}
	return nil
}

// lists are the lists of a query, with their names in JSON.
func (q Query) lists() []idList {
	return []idList{{"assetIds", q.AssetIDs}, {"inferenceIds", q.InferenceIDs}, {"modelIds", q.ModelIDs}}
}

type idList struct {
	name string
	ids  []string
}

func (q Query) problem() string {
	total := 0
	for _, list := range q.lists() {
		total += len(list.ids)
		for i, id := range list.ids {
			if strings.TrimSpace(id) == "" {
				return fmt.Sprintf("query.%s[%d] is empty: remove it or give the ID", list.name, i)
			}
		}
	}
	switch {
	case total == 0:
		return "the query is empty: give at least one ID in query.assetIds, query.inferenceIds or query.modelIds"
	case len(q.AssetIDs) > MaxAssets:
		return fmt.Sprintf("query.assetIds has %d IDs and an archive holds at most %d assets: split the request",
			len(q.AssetIDs), MaxAssets)
	}
	return ""
}

// body is the request as an endpoint takes it. The reference lists all three lists and fileNameTemplate as required;
// the guide takes the request as it is.
func (r ArchiveRequest) body(e Endpoint) any {
	if e != EndpointDownload {
		return r
	}
	query := map[string][]string{}
	for _, list := range r.Query.lists() {
		query[list.name] = append([]string{}, list.ids...) // [] in JSON, not null
	}
	r.Options.FileNameTemplate = cmp.Or(r.Options.FileNameTemplate, DefaultFileNameTemplate)
	return struct {
		Query   map[string][]string `json:"query"`
		Options ArchiveOptions      `json:"options"`
	}{query, r.Options}
}

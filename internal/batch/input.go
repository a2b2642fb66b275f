package batch

import (
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// Input is the input of a batch execution, in either of its two forms:
//
//	{"list": {"key": "requests/list.csv"}, "request": {"options": …, "destination": …}}
//	{"query": {"assetIds": [… more than 1000 …]}, "options": …, "destination": …}
//
// In the first, the request has everything of an archive's request but a query. In the second, it is an archive's
// request without the limit on assetIds; Step Functions' own limit of 256 KiB on an input remains, of which the plan's
// event needs 1 KiB.
type Input struct {
	// List is where the assets are listed; nil when they are in AssetIDs.
	List *List `json:"list"`
	// AssetIDs is the list itself, as it came: with its duplicates.
	AssetIDs []string `json:"-"`
	// Request is what applies to each archive. Its query is empty.
	Request archive.Request `json:"request"`
	// MaxConcurrency is how many archives are made at once; 0 means the deployment's default.
	MaxConcurrency int `json:"maxConcurrency,omitempty"`
	// ToleratedFailurePercentage, 0 to 100; nil means the deployment's default.
	ToleratedFailurePercentage *float64 `json:"toleratedFailurePercentage,omitempty"`
	// BatchSize is how many assets an archive holds, 1 to scenario.MaxAssets; 0 means as many as it can. Only the first
	// form has it.
	BatchSize int `json:"batchSize,omitempty"`
}

// List is a list of asset IDs in the deployment's bucket.
type List struct {
	Key string `json:"key"`
	// VersionID names one version in a versioned bucket; "" is the latest.
	VersionID string `json:"versionId,omitempty"`
	// ETag, without quotes, is the object's that is meant: another one in its place is refused. "" takes any.
	ETag string `json:"etag,omitempty"`
	// Format is "" for what the key ends with.
	Format Format `json:"format,omitempty"`
}

// MostConcurrency is the most archives at once that an input may ask for: what a Distributed Map can run (AWS: "Map
// Run", maximum concurrency 10,000).
const MostConcurrency = 10_000

// knownFields are those of the first form.
var knownFields = map[string][]string{
	"":     {"list", "request", "maxConcurrency", "toleratedFailurePercentage", "batchSize"},
	"list": {"key", "versionId", "etag", "format"},
}

// ParseInput reads an input and checks all that can be checked without S3. Its error is archive.RequestInvalid and says
// what to change.
func ParseInput(raw []byte) (Input, error) {
	var top map[string]json.RawMessage
	_ = json.Unmarshal(raw, &top) // what is no object is refused as an archive's request
	_, list := top["list"]
	_, query := top["query"]
	_, request := top["request"]
	switch {
	case list && query:
		return Input{}, invalid("the input has a \"list\" and a \"query\"; give one of them")
	case list:
		return parseListed(raw, top["request"])
	case request:
		return Input{}, invalid("the input has a \"request\" but no \"list\"; name the list of assets in \"list\"")
	}
	return parseInline(raw)
}

func parseListed(raw, request json.RawMessage) (in Input, err error) {
	if err := archive.CheckFields(raw, knownFields); err != nil {
		return in, err
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return in, archive.DecodeError(raw, err)
	}
	if err := in.check(); err != nil {
		return in, err
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(request, &fields) // it is an object or null: it was decoded above
	if _, ok := fields["query"]; ok {
		return in, invalid("the request has a \"query\" beside the \"list\"; the list says what to archive")
	}
	if len(fields) > 0 {
		in.Request, err = archive.ParseShared(request)
	}
	return in, err
}

func (in Input) check() error {
	if in.List == nil || in.List.Key == "" {
		return invalid("\"list\" names no object; give its \"key\" in the bucket")
	}
	if _, err := in.List.format(); err != nil {
		return err
	}
	if in.MaxConcurrency < 0 || in.MaxConcurrency > MostConcurrency {
		return invalid("maxConcurrency is %d; it must be from 1 to %d, or left out for the deployment's",
			in.MaxConcurrency, MostConcurrency)
	}
	if p := in.ToleratedFailurePercentage; p != nil && (*p < 0 || *p > 100) {
		return invalid("toleratedFailurePercentage is %g; it must be from 0 to 100", *p)
	}
	if in.BatchSize < 0 || in.BatchSize > scenario.MaxAssets {
		return invalid("batchSize is %d; it must be from 1 to %d, or left out for as many as an archive holds", in.BatchSize,
			scenario.MaxAssets)
	}
	return nil
}

// parseInline reads an archive's request with any number of assets.
func parseInline(raw []byte) (Input, error) {
	r, err := archive.ParseShared(raw)
	if err != nil {
		return Input{}, err
	}
	ids := r.Query.AssetIDs
	switch {
	case len(ids) == 0:
		return Input{}, invalid("the input names no assets; give a \"list\" in the bucket, or \"query\" with \"assetIds\", an " +
			"array of at least one asset ID")
	case len(r.Query.InferenceIDs) > 0, len(r.Query.ModelIDs) > 0:
		return Input{}, invalid("query.inferenceIds and query.modelIds cannot be divided into archives; ask for them in an " +
			"execution of its own of the archive state machine")
	}
	for i, id := range ids {
		if !archive.ValidID(id) {
			return Input{}, invalid("query.assetIds[%d] is %q, which is no ID", i, archive.Abbreviate(id))
		}
	}
	r.Query = scenario.Query{}
	return Input{AssetIDs: ids, Request: r}, nil
}

// Of is the text of an execution's input that asks for the same of a list: one text for one list and request, because a
// start is only repeatable with the same input.
func (in Input) Of(l List) (string, error) {
	in.List, in.AssetIDs = &l, nil
	text, err := json.Marshal(in)
	return string(text), err
}

// IsLong says whether a request has more asset IDs than go into one archive, repeats counted. It checks nothing else.
func IsLong(request []byte) bool {
	var r struct {
		Query struct {
			AssetIDs []json.RawMessage `json:"assetIds"`
		} `json:"query"`
	}
	_ = json.Unmarshal(request, &r) // the parser that reads it all says what is wrong with it
	return len(r.Query.AssetIDs) > scenario.MaxAssets
}

// Unique is ids without repeats, in their order.
func Unique(ids []string) []string {
	seen := make(map[string]struct{}, len(ids))
	var unique []string
	for _, id := range ids {
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			unique = append(unique, id)
		}
	}
	return unique
}

func invalid(format string, args ...any) error {
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

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
	List *List
	// AssetIDs is the list itself, as it came: with its duplicates.
	AssetIDs []string
	// Request is what applies to each archive. Its query is empty.
	Request archive.Request
	// MaxConcurrency is how many archives are made at once; 0 means the deployment's default.
	MaxConcurrency int
	// ToleratedFailurePercentage, 0 to 100; nil means the deployment's default.
	ToleratedFailurePercentage *float64
	// BatchSize is how many assets an archive holds, 1 to scenario.MaxAssets; 0 means as many as it can. Only the first
	// form has it.
	BatchSize int
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

// wire is the first form as it is written.
type wire struct {
	List                       *List           `json:"list,omitempty"`
	Request                    json.RawMessage `json:"request,omitempty"`
	MaxConcurrency             int             `json:"maxConcurrency,omitempty"`
	ToleratedFailurePercentage *float64        `json:"toleratedFailurePercentage,omitempty"`
	BatchSize                  int             `json:"batchSize,omitempty"`
}

var (
	wireFields = []string{"list", "request", "maxConcurrency", "toleratedFailurePercentage", "batchSize"}
	listFields = []string{"key", "versionId", "etag", "format"}
	// consoleFields are put into an execution's input by the Step Functions console and by a parent execution.
	consoleFields = []string{"Comment", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"}
)

// MarshalJSON writes the first form. It needs a List.
func (in Input) MarshalJSON() ([]byte, error) {
	if in.List == nil {
		return nil, errors.New("a batch's input without a list cannot be written")
	}
	all, err := json.Marshal(in.Request)
	if err != nil {
		return nil, err
	}
	var request map[string]json.RawMessage
	if err := json.Unmarshal(all, &request); err != nil {
		return nil, err
	}
	delete(request, "query")
	rest, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire{in.List, rest, in.MaxConcurrency, in.ToleratedFailurePercentage, in.BatchSize})
}

// ParseInput reads an input and checks all that can be checked without S3. Its error is archive.RequestInvalid and says
// what to change.
func ParseInput(raw []byte) (Input, error) {
	top, err := decodeObject(raw)
	if err != nil {
		return Input{}, err
	}
	if err := archive.CheckJSON(raw); err != nil {
		return Input{}, err
	}
	if _, ok := top["list"]; ok {
		return parseListed(raw, top)
	}
	if _, ok := top["request"]; ok {
		return Input{}, invalid("the input has a \"request\" but no \"list\"; name the list of assets in \"list\"")
	}
	return parseInline(top)
}

func parseListed(raw []byte, top map[string]json.RawMessage) (Input, error) {
	if _, ok := top["query"]; ok {
		return Input{}, invalid("the input has a \"list\" and a \"query\"; give one of them")
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(top["list"], &fields) // another type is reported below
	if err := refuseUnknown(top, wireFields, "", fields, listFields, "list."); err != nil {
		return Input{}, err
	}
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return Input{}, decodeError(err)
	}
	in := Input{List: w.List, MaxConcurrency: w.MaxConcurrency, ToleratedFailurePercentage: w.ToleratedFailurePercentage,
		BatchSize: w.BatchSize}
	if err := in.check(); err != nil {
		return Input{}, err
	}
	request := map[string]json.RawMessage{}
	if len(w.Request) > 0 && json.Unmarshal(w.Request, &request) != nil {
		return Input{}, invalid("\"request\" is not an object; it holds options, destination, projectId, timeoutSeconds")
	}
	if _, ok := request["query"]; ok {
		return Input{}, invalid("the request has a \"query\" beside the \"list\"; the list says what to archive")
	}
	var err error
	in.Request, err = parseShared(request)
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
func parseInline(top map[string]json.RawMessage) (Input, error) {
	var query map[string]json.RawMessage
	if json.Unmarshal(top["query"], &query) != nil || query == nil {
		return Input{}, invalid("the input names no assets; give a \"list\" in the bucket, or \"query\" with \"assetIds\"")
	}
	var ids []string
	if err := json.Unmarshal(query["assetIds"], &ids); err != nil || len(ids) == 0 {
		return Input{}, invalid("query.assetIds must be an array of at least one asset ID")
	}
	for name, list := range query {
		var others []json.RawMessage
		if name != "assetIds" && json.Unmarshal(list, &others) == nil && len(others) > 0 {
			return Input{}, invalid("query.%s cannot be divided into archives; ask for it in an execution of its own of "+
				"the archive state machine", archive.Abbreviate(name))
		}
	}
	for i, id := range ids {
		if !archive.ValidID(id) {
			return Input{}, invalid("query.assetIds[%d] is %q, which is no ID", i, archive.Abbreviate(id))
		}
	}
	delete(query, "assetIds")
	top["query"], _ = json.Marshal(query)
	r, err := parseShared(top)
	return Input{AssetIDs: ids, Request: r}, err
}

// parseShared has package archive check a request whose assets are elsewhere: it gets one that stands for them all.
func parseShared(fields map[string]json.RawMessage) (archive.Request, error) {
	var query map[string]json.RawMessage
	_ = json.Unmarshal(fields["query"], &query)
	if query == nil {
		query = map[string]json.RawMessage{}
	}
	query["assetIds"] = json.RawMessage(`["asset"]`)
	whole, err := json.Marshal(query)
	if err != nil {
		return archive.Request{}, invalid("the request is not JSON: %v", err)
	}
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields["query"] = whole
	if whole, err = json.Marshal(fields); err != nil {
		return archive.Request{}, invalid("the request is not JSON: %v", err)
	}
	r, err := archive.ParseRequest(whole)
	r.Query.AssetIDs, r.Query.InferenceIDs, r.Query.ModelIDs = nil, nil, nil
	return r, err
}

func decodeObject(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	var top map[string]json.RawMessage
	if err := d.Decode(&top); err != nil {
		return nil, decodeError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("the input is followed by more text; send one JSON object")
	}
	if top == nil {
		return nil, invalid("the input is null; it must be a JSON object with a \"list\" or a \"query\"")
	}
	return top, nil
}

func decodeError(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		if mismatch.Field == "" {
			return invalid("the input is a JSON %s; it must be an object with a \"list\" or a \"query\"", mismatch.Value)
		}
		return invalid("%q in the input is a JSON %s, which is not expected there", archive.Abbreviate(mismatch.Field), mismatch.Value)
	}
	return invalid("the input is not whole JSON: %v", err)
}

func refuseUnknown(top map[string]json.RawMessage, known []string, prefix string,
	inner map[string]json.RawMessage, innerKnown []string, innerPrefix string) error {
	var unknown []string
	for name := range top {
		if !slices.Contains(known, name) && !slices.Contains(consoleFields, name) {
			unknown = append(unknown, prefix+name)
		}
	}
	for name := range inner {
		if !slices.Contains(innerKnown, name) {
			unknown = append(unknown, innerPrefix+name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return invalid("the input has fields that do not exist: %s; remove them or correct their spelling", archive.Names(unknown))
}

func invalid(format string, args ...any) error {
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

// Package archive holds what the functions agree on: the request for an archive and its limits, the key it gets in
// S3, what the steps of an execution hand to each other, the output, and the named errors.
package archive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// Request is an execution's input: Scenario's own request body, and where the archive goes.
// Everything but one non-empty list in Query is optional.
type Request struct {
	Query       scenario.Query          `json:"query,omitzero"`
	Options     scenario.ArchiveOptions `json:"options"`
	Destination DestinationRequest      `json:"destination"`
	// Unpack asks for the archive's files as objects, too.
	Unpack UnpackRequest `json:"unpack,omitzero"`
	// ProjectID scopes the request to one of the team's Scenario projects.
	ProjectID string `json:"projectId,omitempty"`
	// Strict refuses an archive that has fewer files than assets were asked for.
	Strict bool `json:"strict,omitempty"`
	// TimeoutSeconds is how long Scenario's job may take, 30 to 86400; 0 means DefaultTimeoutSeconds.
	TimeoutSeconds int `json:"timeoutSeconds,omitempty"`
}

// DestinationRequest says where the archive goes: under a prefix, with a name made from the execution's, or at a key.
type DestinationRequest struct {
	// Prefix is a folder; a missing slash at its end is added.
	Prefix string `json:"prefix,omitempty"`
	// Key is the object's whole key. It excludes Prefix.
	Key string `json:"key,omitempty"`
	// Overwrite allows an object that this execution did not write to be replaced.
	Overwrite bool `json:"overwrite,omitempty"`
	// Tags become the object's tags, at most 10 (an S3 limit).
	Tags map[string]string `json:"tags,omitempty"`
}

// knownFields are the fields of a request, by the path of the object that holds them.
var knownFields = map[string][]string{
	"":            {"query", "options", "destination", "unpack", "projectId", "strict", "timeoutSeconds"},
	"query":       {"assetIds", "inferenceIds", "modelIds"},
	"options":     {"flat", "fileNameTemplate", "archiveName", "preferOriginal"},
	"destination": {"prefix", "key", "overwrite", "tags"},
	"unpack":      {"prefix", "keepArchive", "together", "part"},
}

// ignoredFields are put into an execution's input by the Step Functions console and by a parent execution.
var ignoredFields = []string{"Comment", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"}

// ParseRequest reads a request and checks it whole. Its error is RequestInvalid and says what to change.
func ParseRequest(raw []byte) (Request, error) {
	r, err := decode(raw)
	if err != nil {
		return Request{}, err
	}
	return r, cmp.Or(r.checkQuery(), r.check())
}

// ParseShared reads a request as ParseRequest does, but for the query's lists: it may name no assets, or any number.
func ParseShared(raw []byte) (Request, error) {
	r, err := decode(raw)
	if err != nil {
		return Request{}, err
	}
	return r, r.check()
}

func decode(raw []byte) (r Request, err error) {
	if err := CheckFields(raw, knownFields); err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, DecodeError(raw, err)
	}
	return r, nil
}

// CheckFields refuses what json.Unmarshal lets pass: what CheckJSON refuses, text after the value, a value that is no
// object, and fields that do not exist (a misspelt one would be ignored in silence). known are those that do, by the
// path of the object that holds them.
func CheckFields(raw []byte, known map[string][]string) error {
	top, err := decodeObject(raw)
	if err != nil {
		return err
	}
	if err := CheckJSON(raw); err != nil {
		return err
	}
	var unknown []string
	for path, names := range known {
		fields, prefix := top, ""
		if path == "" {
			names = append(names, ignoredFields...)
		} else {
			fields, prefix = nil, path+"."
			_ = json.Unmarshal(top[path], &fields) // DecodeError complains of another type
		}
		for name := range fields {
			if !slices.Contains(names, name) {
				unknown = append(unknown, prefix+name)
			}
		}
	}
	if len(unknown) > 0 {
		return invalid("the request has fields that do not exist: %s; remove them or correct their spelling", Names(unknown))
	}
	return nil
}

// maxDepth is the deepest nesting of a request. It needs three levels.
const maxDepth = 16

// CheckJSON refuses what a JSON decoder passes over: bytes that are no UTF-8, which it replaces, a name that an object
// has twice, of which it takes one value, and deep nesting. Text that is no JSON is left to the decoder to refuse. The
// error is RequestInvalid.
func CheckJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return invalid("the request is not in UTF-8; save or send it so")
	}
	var path []map[string]bool // the names of the objects around, nil for an array
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	isName := false
	for {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		switch delim, _ := token.(json.Delim); delim {
		case '{':
			path = append(path, map[string]bool{})
		case '[':
			path = append(path, nil)
		case '}', ']':
			path = path[:len(path)-1]
		default:
			if name, _ := token.(string); isName {
				names := path[len(path)-1]
				if names[name] {
					return invalid("%q stands twice in one object of the request; give it once", Abbreviate(name))
				}
				names[name] = true
				isName = false
				continue
			}
		}
		if len(path) > maxDepth {
			return invalid("the request is nested deeper than %d levels", maxDepth)
		}
		isName = len(path) > 0 && path[len(path)-1] != nil
	}
}

func decodeObject(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	var top map[string]json.RawMessage
	if err := d.Decode(&top); err != nil {
		return nil, DecodeError(raw, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("the request is followed by more text; send one JSON object")
	}
	if top == nil {
		return nil, invalid("the request is null; it must be a JSON object with a \"query\"")
	}
	return top, nil
}

// DecodeError says what is wrong with a request that json.Unmarshal refuses with err.
func DecodeError(raw []byte, err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mismatch) && mismatch.Field == "":
		return invalid("the request is a JSON %s; it must be an object with a \"query\"", Abbreviate(mismatch.Value))
	case errors.As(err, &mismatch):
		return invalid("%q in the request is a JSON %s where %s is expected", Abbreviate(mismatch.Field), Abbreviate(mismatch.Value),
			typeName(mismatch.Type.Kind().String()))
	case errors.As(err, &syntax):
		line, column := position(raw, syntax.Offset)
		return invalid("the request is not JSON (line %d, column %d: %v)", line, column, syntax)
	default:
		return invalid("the request is not whole JSON: %v", err)
	}
}

func typeName(kind string) string {
	switch kind {
	case "struct", "map":
		return "an object"
	case "slice":
		return "an array"
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	default:
		return "a " + kind
	}
}

// position turns a byte offset, 1 for the first byte, into a line and a column, both from 1.
func position(raw []byte, offset int64) (line, column int) {
	before := raw[:min(max(offset-1, 0), int64(len(raw)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

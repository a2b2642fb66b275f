package sync

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// Definition is what syncs/<name>.json says.
type Definition struct {
	Select      Select      `json:"select"`
	Destination Destination `json:"destination"`
	Options     Options     `json:"options"`
	// Metadata says whether what the API knows of an asset is kept beside its file. Default: true.
	Metadata *bool `json:"metadata,omitempty"`
	// Tags become the tags of the assets' objects, at most 10.
	Tags map[string]string `json:"tags,omitempty"`
}

// Select chooses assets by the filters of GET /assets. The zero value is everything that the key sees.
type Select struct {
	ProjectID    string    `json:"projectId,omitempty"`
	CollectionID string    `json:"collectionId,omitempty"`
	ModelID      string    `json:"modelId,omitempty"`
	InferenceID  string    `json:"inferenceId,omitempty"`
	AuthorID     string    `json:"authorId,omitempty"`
	Types        []string  `json:"types,omitempty"`
	CreatedAfter time.Time `json:"createdAfter,omitzero"`
}

// Destination is where the assets go.
type Destination struct {
	// Prefix is a folder; a missing slash at its end is added. Default: the sync's name.
	Prefix string `json:"prefix,omitempty"`
}

// Options shape the files.
type Options struct {
	// PreferOriginal takes each file as it was first uploaded, where that was kept.
	PreferOriginal bool `json:"preferOriginal,omitempty"`
}

var knownFields = map[string][]string{
	"":            {"select", "destination", "options", "metadata", "tags"},
	"select":      {"projectId", "collectionId", "modelId", "inferenceId", "authorId", "types", "createdAfter"},
	"destination": {"prefix"},
	"options":     {"preferOriginal"},
}

// ParseDefinition reads the definition of the sync of that name. Its error is archive.RequestInvalid and says what to
// change.
func ParseDefinition(name string, raw []byte) (Definition, error) {
	var d Definition
	if err := archive.CheckJSON(raw); err != nil {
		return d, err
	}
	if err := refuseUnknown(raw); err != nil {
		return d, err
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, invalid("the sync is not as it should be: %v", err)
	}
	if d.Destination.Prefix == "" {
		d.Destination.Prefix = name
	}
	d.Destination.Prefix = strings.TrimSuffix(d.Destination.Prefix, "/") + "/"
	if strings.HasPrefix(d.Destination.Prefix, Prefix) {
		return d, invalid("destination.prefix is under %s, where syncs are defined; choose another place", Prefix)
	}
	for _, id := range []string{d.Select.ProjectID, d.Select.CollectionID, d.Select.ModelID, d.Select.InferenceID, d.Select.AuthorID} {
		if id != "" && !archive.ValidID(id) {
			return d, invalid("%q in \"select\" is no ID", id)
		}
	}
	// The longest key stands for all; the rules are those of any request.
	longest := d.Destination.Prefix + "metadata/" + strings.Repeat("x", 256) + suffix
	_, err := archive.Request{Destination: archive.DestinationRequest{Key: longest, Tags: d.Tags}}.Resolve("", "", "")
	if err != nil {
		return d, err
	}
	request, err := json.Marshal(map[string]any{
		"query":       map[string]any{"assetIds": []string{"asset"}},
		"destination": map[string]any{"key": longest, "tags": d.Tags},
	})
	if err == nil {
		_, err = archive.ParseRequest(request)
	}
	return d, err
}

func refuseUnknown(raw []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	var top map[string]json.RawMessage
	if err := decoder.Decode(&top); err != nil || top == nil {
		return invalid("the sync is not a JSON object with \"select\" and \"destination\"")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return invalid("the sync is followed by more text; write one JSON object")
	}
	var unknown []string
	for path, known := range knownFields {
		fields := top
		if path != "" {
			fields = nil
			_ = json.Unmarshal(top[path], &fields) // another type is refused when the whole is read
			path += "."
		}
		for name := range fields {
			if !slices.Contains(known, name) {
				unknown = append(unknown, path+name)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return invalid("the sync has fields that do not exist: %s; remove them or correct their spelling", strings.Join(unknown, ", "))
}

func invalid(format string, args ...any) error {
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

func (d Definition) filter(after time.Time) scenario.AssetFilter {
	s := d.Select
	return scenario.AssetFilter{
		ProjectID: s.ProjectID, CollectionID: s.CollectionID, ModelID: s.ModelID, InferenceID: s.InferenceID, AuthorID: s.AuthorID,
		Types: s.Types, UpdatedAfter: after, OriginalAssets: d.Options.PreferOriginal,
	}
}

// chooses says whether the definition means an asset that the list's filters let pass. The API takes createdAfter only
// with another order than a sync's.
func (d Definition) chooses(a scenario.Asset) bool {
	return d.Select.CreatedAfter.IsZero() || a.CreatedAt.After(d.Select.CreatedAfter)
}

// stillChooses is for an asset that was looked up by its ID. Of what a list filters by, only collections change.
func (d Definition) stillChooses(a scenario.Asset) bool {
	return d.chooses(a) && (d.Select.CollectionID == "" || slices.Contains(a.CollectionIDs, d.Select.CollectionID))
}

func (d Definition) assets() string { return d.Destination.Prefix + "assets/" }

// records is where the records are. Without metadata they hold only what later runs need, and are not among the assets.
func (d Definition) records() string {
	if d.withMetadata() {
		return d.Destination.Prefix + "metadata/"
	}
	return d.Destination.Prefix + "known/"
}

// incoming is where the batches of a sync put archives and their files, until the files are recorded.
func (d Definition) incoming(name string) string {
	return d.Destination.Prefix + "incoming/" + name + "/"
}

func (d Definition) withMetadata() bool { return d.Metadata == nil || *d.Metadata }

// readDefinition reads the definition of a sync; archive.RequestInvalid if there is none.
func (e Engine) readDefinition(ctx context.Context, name string) (Definition, error) {
	if !ValidName(name) {
		return Definition{}, invalid("%q is no name of a sync: 1 to 40 letters, digits, '_' and '-', the first a letter or a digit", name)
	}
	o, err := e.read(ctx, DefinitionKey(name))
	if err != nil {
		return Definition{}, err
	}
	if o == nil {
		return Definition{}, invalid("there is no sync %q: %s is not in the bucket", name, DefinitionKey(name))
	}
	return ParseDefinition(name, o.body)
}

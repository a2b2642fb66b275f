package batch

import (
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// Format is how a list is written. In each, blank lines, a UTF-8 byte order mark and CRLF are tolerated.
type Format string

const (
	// FormatText has one ID a line. The first may be a header.
	FormatText Format = "txt"
	// FormatCSV has a record a line: with a header, the IDs are in its column assetId (or asset_id, asset, id);
	// without one, in the first column.
	FormatCSV Format = "csv"
	// FormatJSONL has a JSON string a line, or an object with one of the names that a CSV column may have.
	FormatJSONL Format = "jsonl"
	// FormatJSON is an array of such strings or objects, alone or as "assetIds" in an object.
	FormatJSON Format = "json"
)

// FormatOf is the format that a key's extension stands for; false if it stands for none.
func FormatOf(key string) (Format, bool) {
	switch strings.ToLower(path.Ext(key)) {
	case ".txt":
		return FormatText, true
	case ".csv":
		return FormatCSV, true
	case ".jsonl", ".ndjson":
		return FormatJSONL, true
	case ".json":
		return FormatJSON, true
	}
	return "", false
}

func (l List) format() (Format, error) {
	switch l.Format {
	case FormatText, FormatCSV, FormatJSONL, FormatJSON:
		return l.Format, nil
	case "":
		if f, ok := FormatOf(l.Key); ok {
			return f, nil
		}
		return "", invalid("the format of the list %q cannot be read from its name; give list.format: csv, jsonl, json or txt",
			archive.Abbreviate(l.Key))
	}
	return "", invalid("list.format is %q; it must be csv, jsonl, json or txt", archive.Abbreviate(string(l.Format)))
}

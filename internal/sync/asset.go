package sync

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// known is what later runs need to decide whether an asset must be fetched again. It is the S3 metadata of the asset's record.
//
// Scenario gives no checksum, and it is not known which changes move updatedAt. So two digests are kept: File, of what the
// API says about the file (its kind and type, its properties, where it is served, and whether the original is taken), and
// Rest, of everything else but updatedAt. The file can have changed when File differs; and when updatedAt moved although
// neither differs, for then nothing that can be seen explains the change. Tags, collections, captions and the like are in
// Rest: they rewrite the record and nothing else.
type known struct {
	File, Rest string
	UpdatedAt  time.Time
}

const (
	metadataFile    = "scenario-file"
	metadataRest    = "scenario-rest"
	metadataUpdated = "scenario-updated"
)

func (k known) metadata() map[string]string {
	return map[string]string{metadataFile: k.File, metadataRest: k.Rest, metadataUpdated: k.UpdatedAt.UTC().Format(time.RFC3339Nano)}
}

// knownFrom reads what metadata made; the zero value for anything else, which fetches.
func knownFrom(m map[string]string) known {
	at, _ := time.Parse(time.RFC3339Nano, m[metadataUpdated])
	return known{m[metadataFile], m[metadataRest], at}
}

// fileFields are the fields of an asset that describe its file.
var fileFields = []string{"kind", "mimeType", "originalMimeType", "properties"}

// describe gives what is kept of an asset: the API's words without URLs and embedding, and the digests.
func describe(a scenario.Asset, preferOriginal bool) (json.RawMessage, known, error) {
	decoder := json.NewDecoder(bytes.NewReader(a.Raw))
	decoder.UseNumber() // a seed is kept to its last digit
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, known{}, err
	}
	delete(fields, "embedding")
	withoutURLs(fields)
	kept, err := json.Marshal(fields)
	if err != nil {
		return nil, known{}, err
	}
	file := map[string]any{"url": pathOf(a.URL)}
	if preferOriginal {
		file["original"] = pathOf(a.OriginalFileURL)
	}
	for _, name := range fileFields {
		file[name] = fields[name]
		delete(fields, name)
	}
	delete(fields, "updatedAt")
	return kept, known{digest(file), digest(fields), a.UpdatedAt.UTC()}, nil
}

// withoutURLs removes every URL: those of files are credentials, and all of them expire.
func withoutURLs(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && isURL(name, text) {
				delete(v, name)
				continue
			}
			withoutURLs(inner)
		}
	case []any:
		for i, inner := range v {
			if text, ok := inner.(string); ok && isURL("", text) {
				v[i], _, _ = strings.Cut(text, "?")
				continue
			}
			withoutURLs(inner)
		}
	}
}

func isURL(name, text string) bool {
	lower := strings.ToLower(text)
	return name == "url" || strings.HasSuffix(name, "Url") || strings.HasPrefix(lower, "https:") || strings.HasPrefix(lower, "http:") ||
		strings.HasPrefix(lower, "//")
}

// pathOf is where a file is served, without host and signature.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}

func digest(v any) string {
	text, _ := json.Marshal(v) // of decoded JSON: cannot fail; maps are written in order
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// record is what is written of an asset: a line of JSON, the API's fields and these.
type record struct {
	Key         string    `json:"key"`
	Size        int64     `json:"size"` // bytes
	CRC32       string    `json:"crc32"`
	ContentType string    `json:"contentType"`
	SyncedAt    time.Time `json:"syncedAt"`
}

// line joins what the API said (nil: nothing of it) and the record.
func (r record) line(asset json.RawMessage, id string) ([]byte, error) {
	fields := map[string]json.RawMessage{}
	if asset != nil {
		if err := json.Unmarshal(asset, &fields); err != nil {
			return nil, err
		}
	}
	fields["id"], _ = json.Marshal(id)
	own, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(own, &fields); err != nil {
		return nil, err
	}
	text, err := json.Marshal(fields)
	return append(text, '\n'), err
}

// A verdict is what has to be done about an asset.
type verdict int

const (
	nothing verdict = iota
	rewrite         // its record
	fetch           // its file, and then its record
	wait            // it is not finished at Scenario
	refuse          // Scenario says that it has failed
)

// judge compares an asset with its record; old is nil if there is none.
func judge(status string, now known, old *known) verdict {
	switch {
	case old != nil && old.UpdatedAt.After(now.UpdatedAt):
		return nothing // an old page of the list, that came late
	case old != nil && *old == now:
		return nothing
	case status == scenario.AssetError:
		return refuse
	case status != scenario.AssetSuccess:
		return wait
	case old == nil || old.File != now.File:
		return fetch
	case old.Rest != now.Rest:
		return rewrite
	default:
		return fetch // updatedAt moved, and nothing says why
	}
}

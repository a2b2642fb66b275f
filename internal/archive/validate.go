package archive

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// Limits of a request.
const (
	// DefaultTimeoutSeconds is how long Scenario's job may take when the request does not say: an hour.
	DefaultTimeoutSeconds = 3600
	// MinTimeoutSeconds and MaxTimeoutSeconds bound what a request may say. The upper one, a day, leaves the
	// execution's own limit of two days room for the transfer.
	MinTimeoutSeconds = 30
	MaxTimeoutSeconds = 86400

	maxIDBytes       = 256
	maxTemplateBytes = 1024
	maxTags          = 10  // S3: tags of an object
	maxTagKey        = 128 // S3: Unicode characters
	maxTagValue      = 256 // S3: Unicode characters
)

// check is for all but the query.
func (r Request) check() error {
	return cmp.Or(r.checkOptions(), r.checkTimeout(), r.Destination.check(), r.Unpack.check())
}

func (r Request) checkQuery() error {
	lists := []struct {
		name string
		ids  []string
	}{
		{"query.assetIds", r.Query.AssetIDs},
		{"query.inferenceIds", r.Query.InferenceIDs},
		{"query.modelIds", r.Query.ModelIDs},
	}
	total := 0
	for _, l := range lists {
		total += len(l.ids)
		if err := checkIDs(l.name, l.ids); err != nil {
			return err
		}
	}
	if total == 0 {
		return invalid("the request names nothing to archive; put at least one ID into query.assetIds, " +
			"query.inferenceIds or query.modelIds")
	}
	return nil
}

func checkIDs(name string, ids []string) error {
	if len(ids) > scenario.MaxAssets {
		return invalid("%s has %d IDs; Scenario puts at most %d assets into one archive: split the list, or run it as a batch",
			name, len(ids), scenario.MaxAssets)
	}
	for i, id := range ids {
		if !ValidID(id) {
			return invalid("%s[%d] is %q, which is no ID; an ID is 1 to %d letters, digits, '_', '-', '.' or ':'",
				name, i, Abbreviate(id), maxIDBytes)
		}
	}
	return nil
}

// ValidID says whether id can be an ID: 1 to 256 letters, digits, '_', '-', '.' or ':'. What it lets pass needs no
// escaping in JSON.
func ValidID(id string) bool {
	return id != "" && len(id) <= maxIDBytes && !strings.ContainsFunc(id, notInID)
}

func notInID(c rune) bool {
	return c >= utf8.RuneSelf || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_-.:", c)
}

func (r Request) checkOptions() error {
	if len(r.Options.FileNameTemplate) > maxTemplateBytes {
		return invalid("options.fileNameTemplate is longer than %d bytes", maxTemplateBytes)
	}
	if strings.ContainsFunc(r.Options.FileNameTemplate, unicode.IsControl) {
		return invalid("options.fileNameTemplate holds a control character")
	}
	if n := r.Options.ArchiveName; len(n) > maxIDBytes || strings.ContainsFunc(n, unicode.IsControl) {
		return invalid("options.archiveName is longer than %d bytes, or holds a control character", maxIDBytes)
	}
	if r.ProjectID != "" {
		return checkIDs("projectId", []string{r.ProjectID})
	}
	return nil
}

func (r Request) checkTimeout() error {
	if t := r.TimeoutSeconds; t != 0 && (t < MinTimeoutSeconds || t > MaxTimeoutSeconds) {
		return invalid("timeoutSeconds is %d; it must be from %d to %d, or left out for %d",
			t, MinTimeoutSeconds, MaxTimeoutSeconds, DefaultTimeoutSeconds)
	}
	return nil
}

func (d DestinationRequest) check() error {
	if d.Key != "" && d.Prefix != "" {
		return invalid("destination has a key and a prefix; give one of them")
	}
	if err := d.checkTags(); err != nil {
		return err
	}
	if d.Key != "" {
		return checkKey("destination.key", d.Key)
	}
	// Long enough for any execution's name, so that it does not fail later for another one.
	if d.Prefix != "" {
		return checkKey("destination.prefix", d.key("", strings.Repeat("n", 80)))
	}
	return nil
}

func (d DestinationRequest) checkTags() error {
	if len(d.Tags) > maxTags {
		return invalid("destination.tags has %d tags; S3 allows %d", len(d.Tags), maxTags)
	}
	for k, v := range d.Tags {
		if k == "" || utf8.RuneCountInString(k) > maxTagKey || utf8.RuneCountInString(v) > maxTagValue {
			return invalid("the tag %q in destination.tags is too long or has no name; S3 allows 1 to %d characters "+
				"for its name and %d for its value", Abbreviate(k), maxTagKey, maxTagValue)
		}
		if strings.HasPrefix(strings.ToLower(k), "aws:") || strings.ContainsFunc(k+v, notInTag) {
			return invalid("the tag %q in destination.tags is not one that S3 takes: letters, digits, spaces and "+
				"+ - = . _ : / @ only, and no name that begins with aws:", Abbreviate(k))
		}
	}
	return nil
}

func notInTag(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(" +-=._:/@", c)
}

const (
	// DefaultPrefix is where an archive goes when its request names no place.
	DefaultPrefix = "archives/"
	// RequestsPrefix is where requests are dropped into the bucket. No archive may go there: it would be taken for
	// a request.
	RequestsPrefix = "requests/"
	// BatchesPrefix is where batches keep their own files, which are deleted after some weeks. No archive may go there:
	// it would be deleted with them.
	BatchesPrefix = "batches/"

	maxKeyBytes = 1024 // S3: length of an object key in UTF-8
)

// key is the object's key. For an execution it is always the same, so that a repeated step writes the same object.
func (d DestinationRequest) key(defaultPrefix, executionName string) string {
	if d.Key != "" {
		return d.Key
	}
	prefix := d.Prefix
	if prefix == "" {
		prefix = defaultPrefix
	}
	return strings.TrimSuffix(prefix, "/") + "/" + executionName + ".zip"
}

// isUnder says that a key is within a folder, or has the folder's name, which a file system cannot hold beside it.
func isUnder(key, prefix string) bool { return strings.HasPrefix(key+"/", prefix) }

// checkKey allows the keys that mean the same thing in S3, in a URL and on a disk. S3 itself takes more, but a key
// with "..", with an empty segment or with a control character is refused or rewritten by the tools that read it.
func checkKey(field, key string) error {
	switch {
	case len(key) > maxKeyBytes:
		return invalid("%s makes a key of %d bytes; S3 allows %d", field, len(key), maxKeyBytes)
	case !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) || strings.ContainsRune(key, '\uFFFD'):
		return invalid("%s holds a character that cannot stand in a key (a control character or broken UTF-8)", field)
	case isUnder(key, BatchesPrefix):
		return invalid("%s is under %s, where batches keep files that are deleted later; choose another place", field,
			BatchesPrefix)
	case isUnder(key, RequestsPrefix):
		return invalid("%s is under %s, where requests are dropped; choose another place", field, RequestsPrefix)
	}
	for _, segment := range strings.Split(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return invalid("%s is %q; it must be a path without a slash at its start or end, without empty parts, "+
				"and without \".\" or \"..\"", field, Abbreviate(key))
		}
	}
	return nil
}

package archive

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

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

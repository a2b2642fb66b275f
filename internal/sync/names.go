package sync

import (
	"regexp"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// Prefix is where syncs are defined.
const Prefix = "syncs/"

const (
	suffix       = ".json"
	statusSuffix = ".status.json"
	errorSuffix  = ".error.json"
)

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)

// ValidName says whether a sync can have this name: 1 to 40 letters, digits, '_' and '-', the first a letter or a digit.
func ValidName(name string) bool { return validName.MatchString(name) }

// NameOf is the name of the sync that an object defines; false if it defines none.
func NameOf(key string) (string, bool) {
	name, found := strings.CutPrefix(key, Prefix)
	name, json := strings.CutSuffix(name, suffix)
	return name, found && json && ValidName(name)
}

// DefinitionKey, StatusKey and ErrorKey are where a sync is defined, where it says how it stands, and where it says what is
// wrong with its definition.
func DefinitionKey(name string) string { return Prefix + name + suffix }

// StatusKey is the key of a sync's Status.
func StatusKey(name string) string { return Prefix + name + statusSuffix }

// ErrorKey is the key of what is wrong with a sync's definition.
func ErrorKey(name string) string { return Prefix + name + errorSuffix }

func notesKey(name string) string { return Prefix + name + "/failed.json" }

// workPrefix is where a run keeps its lists: they are deleted with those of batches.
func workPrefix(name, run string) string {
	return archive.BatchesPrefix + "sync-" + name + "-" + run + "/"
}

package sync

import (
	"context"
	"iter"
	"regexp"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
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

// Lister lists objects in the order of their keys; bucket.Bucket does.
type Lister interface {
	List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Entry, error]
}

// Names gives the names of all syncs, in the order of their definitions' keys, from the one behind after on; "" begins
// with the first. What syncs keep below syncs/<name>/ is passed over: the list goes on behind it. An error of the list
// is the last that comes.
func Names(ctx context.Context, l Lister, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if after != "" {
			after = DefinitionKey(after)
		}
		for more := true; more; {
			more = false
			for o, err := range l.List(ctx, Prefix, after) {
				if err != nil {
					yield("", err)
					return
				}
				if folder, _, below := strings.Cut(strings.TrimPrefix(o.Key, Prefix), "/"); below {
					after, more = Prefix+folder+"0", true // 0 comes after /
					break
				}
				name, ok := NameOf(o.Key)
				if ok && !yield(name, nil) {
					return
				}
			}
		}
	}
}

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

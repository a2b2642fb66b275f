package archive

import (
	"slices"
	"strings"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// maxMissing is how many missing assets an output names.
const maxMissing = 100

// Requested is how many assets the request asks for, each ID once; 0 when it names inferences or models, whose assets only
// Scenario knows.
func (r Request) Requested() int64 {
	if len(r.Query.InferenceIDs)+len(r.Query.ModelIDs) > 0 {
		return 0
	}
	return int64(len(r.assets()))
}

// assets are the IDs asked for, each once, in order.
func (r Request) assets() []string {
	return slices.Compact(slices.Sorted(slices.Values(r.Query.AssetIDs)))
}

// LeastEntries is how many files the archive must have: all of a strict request, and never none.
func (r Request) LeastEntries() int64 {
	if r.Strict {
		return max(r.Requested(), 1)
	}
	return 1
}

// Missing says what an archive lacks that has fewer files than assets were asked for; nil when it does not. names are
// those of its files. Which assets are missing is known when the name of every file has one ID of those asked for.
func (r Request) Missing(entries int64, names []string) *Missing {
	requested := r.Requested()
	if entries >= requested {
		return nil
	}
	m := &Missing{Count: requested - entries}
	left := map[string]bool{}
	for _, id := range r.assets() {
		left[id] = true
	}
	if int64(len(names)) != entries || !r.namedByID() {
		return m
	}
	for _, name := range names {
		id := idIn(name)
		if !left[id] {
			return m // a file of no asset, or a second one of the same
		}
		delete(left, id)
	}
	for _, id := range r.assets() {
		if left[id] && len(m.AssetIDs) < maxMissing {
			m.AssetIDs = append(m.AssetIDs, id)
		}
	}
	return m
}

// namedByID says that each file is named by its asset's ID alone.
func (r Request) namedByID() bool {
	t := r.Options.FileNameTemplate
	return t == "" || t == scenario.DefaultFileNameTemplate || t == "<assetId>"
}

// idIn is the ID in a file's name: what is between the last folder and the extension.
func idIn(name string) string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		name = name[:dot]
	}
	return name
}

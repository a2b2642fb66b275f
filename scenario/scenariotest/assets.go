package scenariotest

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
)

// Special assets, by the beginning of their IDs; see the package's documentation.
const (
	prefixMissing = "asset_missing"
	prefixFail    = "asset_fail"
	prefixCancel  = "asset_cancel"
	prefixSlow    = "asset_slow"
	prefixStuck   = "asset_stuck"
	prefixNoURL   = "asset_nourl"
	prefixExpired = "asset_expired"
	prefixCorrupt = "asset_corrupt"
)

var assetID = regexp.MustCompile(`^asset_[A-Za-z0-9_-]+$`)

// An asset is what a file of an archive is made from. All but its place comes from its ID.
type asset struct {
	id     string
	folder string // what it was issued from
	number int    // index within that, from 0

	version int  // of its file
	leftOut bool // its file is not in the archive
}

// seed determines the file's bytes.
func (a asset) seed() string {
	if a.version == 0 {
		return a.id
	}
	return fmt.Sprintf("%s version %d", a.id, a.version)
}

func exists(id string) bool { return assetID.MatchString(id) && !strings.HasPrefix(id, prefixMissing) }

// expand gives the assets of a query, each once, in the query's order.
func expand(q query, perSource int) []asset {
	var assets []asset
	seen := map[string]bool{}
	add := func(a asset) {
		if !seen[a.id] {
			seen[a.id] = true
			assets = append(assets, a)
		}
	}
	for _, id := range q.AssetIDs {
		add(asset{id: id, folder: pick(id+" generator", generators), number: len(assets)})
	}
	for _, sources := range [][]string{q.InferenceIDs, q.ModelIDs} {
		for _, source := range sources {
			for i := range perSource {
				add(asset{id: fmt.Sprintf("asset_%s_%04d", safeName(source), i), folder: source, number: i})
			}
		}
	}
	return assets
}

var (
	generators = []string{"flux-dev", "juggernaut-xl", "pixel-forge", "toon-maker"}
	subjects   = []string{"knight", "dragon", "castle", "potion", "forest", "robot", "spaceship", "wizard"}
	styles     = []string{"watercolor", "isometric", "pixel_art", "low_poly", "ink", "photorealistic"}
)

func pick(seed string, from []string) string { return from[hash(seed)%uint64(len(from))] }

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum64()
}

// parameters are what a file name template can name.
func (a asset) parameters() map[string]string {
	return map[string]string{
		"assetId":     a.id,
		"id":          a.id,
		"num":         fmt.Sprint(a.number),
		"seed":        fmt.Sprint(hash(a.id+" seed") % (1 << 32)),
		"generator":   pick(a.id+" generator", generators),
		"prompt":      pick(a.id+" style", styles) + "_" + pick(a.id+" subject", subjects),
		"description": pick(a.id+" subject", subjects),
	}
}

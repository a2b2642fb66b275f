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
	ID     string `json:"id"`
	Folder string `json:"folder,omitempty"` // what it was issued from
	Number int    `json:"number,omitempty"` // index within that, from 0

	Version int  `json:"version,omitempty"` // of its file
	LeftOut bool `json:"leftOut,omitempty"` // its file is not in the archive
}

// seed determines the file's bytes.
func (a asset) seed() string {
	if a.Version == 0 {
		return a.ID
	}
	return fmt.Sprintf("%s version %d", a.ID, a.Version)
}

func exists(id string) bool { return assetID.MatchString(id) && !strings.HasPrefix(id, prefixMissing) }

// expand gives the assets of a query, each once, in the query's order.
func expand(q query, perSource int) []asset {
	var assets []asset
	seen := map[string]bool{}
	add := func(a asset) {
		if !seen[a.ID] {
			seen[a.ID] = true
			assets = append(assets, a)
		}
	}
	for _, id := range q.AssetIDs {
		add(asset{ID: id, Folder: pick(id+" generator", generators), Number: len(assets)})
	}
	for _, sources := range [][]string{q.InferenceIDs, q.ModelIDs} {
		for _, source := range sources {
			for i := range perSource {
				add(asset{ID: fmt.Sprintf("asset_%s_%04d", safeName(source), i), Folder: source, Number: i})
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
		"assetId":     a.ID,
		"id":          a.ID,
		"num":         fmt.Sprint(a.Number),
		"seed":        fmt.Sprint(hash(a.ID+" seed") % (1 << 32)),
		"generator":   pick(a.ID+" generator", generators),
		"prompt":      pick(a.ID+" style", styles) + "_" + pick(a.ID+" subject", subjects),
		"description": pick(a.ID+" subject", subjects),
	}
}

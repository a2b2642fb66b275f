package scenariotest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest/internal/virtualzip"
)

func (a *CatalogueAsset) author() string     { return cmp.Or(a.AuthorID, "user_local") }
func (a *CatalogueAsset) kindOfType() string { return cmp.Or(a.Type, "inference-txt2img") }

func (h *Handler) describeAssets(r *http.Request, list []CatalogueAsset) []map[string]any {
	described := make([]map[string]any, len(list))
	for i, a := range list {
		described[i] = h.describeAsset(r, a)
	}
	return described
}

// describeAsset is an asset as the API shows it: every field that the official client requires, with signed URLs that
// change from answer to answer, and an embedding. The URLs serve nothing: files come in archives only.
func (h *Handler) describeAsset(r *http.Request, a CatalogueAsset) map[string]any {
	p := asset{ID: a.ID}.parameters()
	file := fmt.Sprintf("%s/assets/%s-%d.png?Policy=p&Key-Pair-Id=k&Signature=%s", baseOf(r), a.ID, a.Version, rand.Text())
	metadata := map[string]any{
		"kind": "image", "type": a.kindOfType(), "prompt": p["prompt"], "seed": p["seed"], "guidance": 3.5, "numInferenceSteps": 28,
	}
	for name, value := range map[string]string{
		"modelId": a.ModelID, "inferenceId": a.InferenceID, "parentId": a.ParentID, "rootParentId": a.RootID,
	} {
		if value != "" {
			metadata[name] = value
		}
	}
	return map[string]any{
		"id": a.ID, "authorId": a.author(), "ownerId": "team_local", "collectionIds": listed(a.CollectionIDs), "tags": listed(a.Tags),
		"createdAt": isoTime(a.CreatedAt), "updatedAt": isoTime(a.UpdatedAt), "kind": "image", "mimeType": "image/png",
		"privacy": "private", "source": "inference-txt", "status": cmp.Or(a.Status, statusSuccess), "description": p["description"],
		"url": file, "thumbnail": map[string]any{"assetId": a.ID, "url": file}, "editCapabilities": []string{"UPSCALE"}, "nsfw": []string{},
		"properties": map[string]any{"size": h.options.AssetSize, "width": virtualzip.Side, "height": virtualzip.Side},
		"metadata":   metadata, "embedding": []float64{0.25, -0.5, 0.125},
	}
}

// listed makes a nil list an empty one, which is [] in JSON and not null.
func listed(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// estimate answers a dry run: HTTP 269, and nothing is launched. The cost is made up: nobody knows it.
func (h *Handler) estimate(launch launchBody) *reply {
	assets := len(expand(*launch.Query, h.options.AssetsPerSource))
	return &reply{status: statusEstimate, body: map[string]any{"creativeUnitsCost": float64(assets) / 100}}
}

const (
	statusEstimate = 269
	maxAssetsBody  = 64 << 20
)

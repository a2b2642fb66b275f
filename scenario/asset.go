package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The statuses of an asset. Only a success has a file that an archive can hold.
const (
	AssetPending = "pending"
	AssetSuccess = "success"
	AssetError   = "error"
)

// Asset is an asset as the API described it. ID and UpdatedAt are always there; another field is empty where the API gave
// none, or gave it as another type than is documented: Raw has what came.
type Asset struct {
	ID            string
	AuthorID      string
	OwnerID       string
	CollectionIDs []string
	Tags          []string
	CreatedAt     time.Time
	UpdatedAt     time.Time
	DeletedAt     time.Time // zero: not deleted
	Kind          string    // 3d, audio, document, image, image-hdr, json, text, video
	MimeType      string
	Privacy       string
	Source        string
	Status        string // AssetPending, AssetSuccess, AssetError, or a newer one
	Description   string
	// URL and OriginalFileURL are signed: credentials that expire.
	URL, OriginalFileURL string
	OriginalMimeType     string
	Properties           AssetProperties
	// Metadata is what the asset was made with, by the API's names: prompt, seed, modelId and some hundred others.
	Metadata map[string]json.RawMessage
	// Raw is the whole asset as it came, signed URLs included.
	Raw json.RawMessage
}

// AssetProperties are what the API says of an asset's file.
type AssetProperties struct {
	// Size is in bytes. The API is known to be wrong about some (of 3D files), and does not mean the original file.
	Size          int64
	Width, Height float64 // pixels
	Duration      float64 // seconds
}

// String names the asset, and nothing of it that is secret.
func (a Asset) String() string { return "scenario.Asset{" + a.ID + "}" }

// Format writes that name for every verb: Raw and the URLs must not get into a log.
func (a Asset) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// parseAsset reads an asset. A field of another type counts as missing, but for those without which nothing can be done.
func parseAsset(raw json.RawMessage) (Asset, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Asset{}, errors.New("an asset is not a JSON object")
	}
	a := Asset{Raw: raw}
	for name, into := range map[string]any{
		"id": &a.ID, "authorId": &a.AuthorID, "ownerId": &a.OwnerID, "collectionIds": &a.CollectionIDs, "tags": &a.Tags,
		"createdAt": &a.CreatedAt, "updatedAt": &a.UpdatedAt, "deletedAt": &a.DeletedAt, "kind": &a.Kind,
		"mimeType": &a.MimeType, "privacy": &a.Privacy, "source": &a.Source, "status": &a.Status,
		"description": &a.Description, "url": &a.URL, "originalFileUrl": &a.OriginalFileURL,
		"originalMimeType": &a.OriginalMimeType, "metadata": &a.Metadata,
	} {
		_ = json.Unmarshal(fields[name], into)
	}
	a.Properties = parseProperties(fields["properties"])
	switch {
	case !validJobID(a.ID): // assets' IDs are made as jobs' are
		return Asset{}, errors.New("an asset has no usable id")
	case a.UpdatedAt.IsZero():
		return Asset{}, fmt.Errorf("the asset %s has no updatedAt", a.ID)
	}
	return a, nil
}

func parseProperties(raw json.RawMessage) (p AssetProperties) {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields)
	for name, into := range map[string]any{
		"size": &p.Size, "width": &p.Width, "height": &p.Height, "duration": &p.Duration,
	} {
		_ = json.Unmarshal(fields[name], into)
	}
	return p
}

// An assetPage is a page of a list.
type assetPage struct {
	assets []Asset
	token  string // of the next page; empty: there is none
}

// parseAssets reads {"assets":[…],"nextPaginationToken"}.
func parseAssets(got answer) (assetPage, error) {
	var body struct {
		Assets              []json.RawMessage
		NextPaginationToken string
	}
	if err := json.Unmarshal(got.body, &body); err != nil {
		return assetPage{}, errors.New("it is no list of assets")
	}
	if body.Assets == nil {
		return assetPage{}, errors.New("it has no assets")
	}
	page := assetPage{assets: make([]Asset, len(body.Assets)), token: body.NextPaginationToken}
	for i, raw := range body.Assets {
		var err error
		if page.assets[i], err = parseAsset(raw); err != nil {
			return assetPage{}, err
		}
	}
	return page, nil
}

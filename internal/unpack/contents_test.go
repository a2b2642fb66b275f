package unpack

import "testing"

func TestAssetIDOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"asset_GTrL3mq4SXWyMxkOHRxlpw.png":  "asset_GTrL3mq4SXWyMxkOHRxlpw",
		"a/b/asset_with_more-parts.tar.gz":  "asset_with", // the stem is asset_with_more-parts.tar
		"flux/asset_with_more-parts.png":    "asset_with_more-parts",
		"1_a knight_asset_8Z3bTq_seed.webp": "asset_8Z3bTq",
		"asset_x":                           "asset_x",
		"knight.png":                        "",
		"asset_.png":                        "",
	} {
		if got := assetIDOf(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

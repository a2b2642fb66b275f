package scenario

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// AssetPageSize is how many assets a page of a list has at most: the API's own limit.
	AssetPageSize = 100
	// MaxAssetsByID is how many assets AssetsByID takes ("Limit of 200 assets", API reference).
	MaxAssetsByID = 200

	// maxListBody bounds a page. An asset is some KB, and some ten with its embedding.
	maxListBody = 16 << 20
	// listSlack is how far before the last asset seen a list begins again whose token was refused. The API's order is not
	// known to be exact within a second.
	listSlack = time.Second
	// maxListRestarts is how often that may happen without an asset of a later time in between.
	maxListRestarts = 5

	timeFormat = "2006-01-02T15:04:05.000Z"
)

// AssetFilter chooses assets. Each field that is not empty narrows the choice; the zero value means all that the key sees.
type AssetFilter struct {
	ProjectID, CollectionID, ModelID, InferenceID string
	ParentAssetID, RootAssetID, AuthorID, Privacy string
	// Types are those of the assets' metadata, such as "inference-txt2img".
	Types []string
	// UpdatedAfter and UpdatedBefore bound the time of the last change; both exclude that time itself. The API has times
	// in milliseconds.
	UpdatedAfter, UpdatedBefore time.Time
	// OriginalAssets asks for the URLs of the files as they are kept, without transformation.
	OriginalAssets bool
}

func (f AssetFilter) query() url.Values {
	q := url.Values{
		"sortBy": {"updatedAt"}, "sortDirection": {"asc"}, "pageSize": {strconv.Itoa(AssetPageSize)},
	}
	for name, value := range map[string]string{
		"collectionId": f.CollectionID, "modelId": f.ModelID, "inferenceId": f.InferenceID,
		"parentAssetId": f.ParentAssetID, "rootAssetId": f.RootAssetID, "authorId": f.AuthorID, "privacy": f.Privacy,
		"types": strings.Join(f.Types, ","), // as the official client writes a list
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"updatedAfter": f.UpdatedAfter, "updatedBefore": f.UpdatedBefore} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(timeFormat))
		}
	}
	if f.OriginalAssets {
		q.Set("originalAssets", "true")
	}
	return q
}

// Assets gives the assets of a filter, in the order of their last change, page after page as they are asked for. An asset
// comes at least once; it comes again when it changes meanwhile, or when a page token was refused: the list then goes on a
// second before the last change seen, so that none of an equal time is lost. An error, always an [*Error], is the last that
// comes.
func (c *Client) Assets(ctx context.Context, f AssetFilter) iter.Seq2[Asset, error] {
	return func(yield func(Asset, error) bool) {
		l := listing{client: c, filter: f, lastRestart: f.UpdatedAfter}
		for {
			page, err := l.next(ctx)
			if err != nil {
				yield(Asset{}, err)
				return
			}
			for _, a := range page {
				if !yield(a, nil) {
					return
				}
			}
			if l.done {
				return
			}
		}
	}
}

// A listing is how far a list has been read.
type listing struct {
	client *Client
	filter AssetFilter
	token  string
	done   bool

	last        time.Time // the latest change seen
	lastRestart time.Time // last, when the list was started again the last time
	restarts    int       // since last has moved
}

// next reads a page, which may be empty.
func (l *listing) next(ctx context.Context) ([]Asset, error) {
	page, err := l.client.assetPage(ctx, l.filter, l.token)
	switch {
	case err != nil && l.token != "" && refused(err) && l.restart():
		return nil, nil
	case err != nil:
		return nil, err
	case page.token != "" && page.token == l.token && len(page.assets) == 0:
		return nil, &Error{Op: opAssets, Kind: KindUnavailable, Reason: "the list does not end: its token stays the same"}
	}
	l.token, l.done = page.token, page.token == ""
	for _, a := range page.assets {
		if a.UpdatedAt.After(l.last) {
			l.last = a.UpdatedAt
		}
	}
	return page.assets, nil
}

// restart begins the list again where it is; false if that would not end.
func (l *listing) restart() bool {
	if l.last.After(l.lastRestart) {
		l.restarts = 0
	}
	l.lastRestart = l.last
	l.token = ""
	if from := l.last.Add(-listSlack); from.After(l.filter.UpdatedAfter) {
		l.filter.UpdatedAfter = from
	}
	l.restarts++
	return l.restarts <= maxListRestarts
}

// refused reports whether an answer may be about a token that the API no longer knows.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == KindInvalid || e.Kind == KindNotFound)
}

func (c *Client) assetPage(ctx context.Context, f AssetFilter, token string) (assetPage, error) {
	query := f.query()
	if token != "" {
		query.Set("paginationToken", token)
	}
	call := call{op: opAssets, path: "assets", projectID: f.ProjectID, query: query, maxBody: maxListBody}
	return fetch(ctx, c, call, nil, parseAssets)
}

// AssetsByID looks assets up, at most MaxAssetsByID. Those that do not exist, or that the key does not see, are missing
// from the answer, whose order is the API's. Every error is an [*Error].
func (c *Client) AssetsByID(ctx context.Context, projectID string, ids ...string) ([]Asset, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > MaxAssetsByID {
		return nil, &Error{Op: opAssets, Kind: KindInvalid,
			Reason: fmt.Sprintf("%d IDs were asked for; at most %d can be at once", len(ids), MaxAssetsByID)}
	}
	call := call{op: opAssets, path: "assets/get-bulk", projectID: projectID, maxBody: 2 * maxListBody}
	page, err := fetch(ctx, c, call, map[string][]string{"assetIds": ids}, parseAssets)
	return page.assets, err
}

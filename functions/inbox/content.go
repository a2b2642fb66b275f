package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// maxRequest is the size of a .json request in bytes, some 30,000 assets. Unlike a list, it is held in memory.
	maxRequest = 1 << 20
	// maxScan is how much of a list is read to see whether it is for one archive, whose IDs have a few hundred KB. A list
	// that has more around its IDs is taken for a long one.
	maxScan = 64 << 20
)

// errGone says that an object is no longer there, or has been replaced by another, which has an event of its own.
var errGone = errors.New("the object is gone or was replaced")

func invalid(format string, args ...any) error {
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

// open reads the very object that an event is about. The caller closes it.
func (in *inbox) open(ctx context.Context, o object) (*bucket.Object, error) {
	options := bucket.GetOptions{VersionID: o.version}
	if o.version == "" {
		options.ETag = o.etag
	}
	content, err := in.bucket.Get(ctx, o.key, options)
	if bucket.IsMissing(err) || bucket.IsChanged(err) {
		return nil, errGone
	}
	return content, err
}

// checkEncoding refuses an object that says it is compressed, which a few bytes could blow up to any size.
func checkEncoding(contentEncoding string) error {
	if e := strings.Trim(strings.ReplaceAll(contentEncoding, "aws-chunked", ""), ", "); e != "" && e != "identity" {
		return invalid("the object says that it is encoded (Content-Encoding: %.40s); drop plain text, in UTF-8", e)
	}
	return nil
}

// readRequest reads a .json object.
func readRequest(r io.Reader) ([]byte, error) {
	text, err := batch.Text(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(text, maxRequest+1))
	if err == nil && len(raw) > maxRequest {
		return nil, invalid("the request is larger than %d bytes; a long list of assets goes into a .csv, .jsonl or .txt "+
			"object", maxRequest)
	}
	return raw, err
}

// listed is what was read of a list.
type listed struct {
	ids        []string // without repeats, in their order
	duplicates int
	lines      int
	// more says that the list has other IDs, or may have: the batch reads it from its beginning.
	more bool
}

// errScanned says that a list was not read further.
var errScanned = errors.New("more than is looked at")

// readList reads the IDs of a list until it has those of one archive. Memory is that of one archive's IDs, whatever the
// list's size.
func readList(r io.Reader, f batch.Format) (l listed, err error) {
	list := batch.NewReader(&batch.Limit{R: r, Left: maxScan, Full: errScanned}, f)
	seen := map[string]bool{}
	for id, err := range list.IDs() {
		switch {
		case errors.Is(err, errScanned) && len(l.ids) == 0:
			return l, invalid("the list's first %d bytes have no asset ID; remove what is none", maxScan)
		case errors.Is(err, errScanned):
			l.more = true
			return l, nil
		case err != nil:
			return l, err
		case seen[id]:
			l.duplicates++
			continue
		case len(l.ids) == scenario.MaxAssets:
			l.more = true
			return l, nil
		}
		seen[id] = true
		l.ids = append(l.ids, id)
	}
	l.lines = list.Lines()
	if len(l.ids) == 0 {
		return l, invalid("the list has no asset IDs; put one on each line")
	}
	return l, nil
}

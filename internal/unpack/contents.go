package unpack

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// line is one line of contents.jsonl.
type line struct {
	Name        string `json:"name"` // as in the ZIP
	Key         string `json:"key"`
	Size        int64  `json:"size"`
	ContentType string `json:"contentType"`
	CRC32       string `json:"crc32"`
	AssetID     string `json:"assetId,omitempty"`
}

// A file that is named by its asset alone, and an asset's ID within another name: there "_" and "-" separate words.
var (
	wholeAssetID = regexp.MustCompile(`^asset_[0-9A-Za-z_-]+$`)
	assetIDPart  = regexp.MustCompile(`asset_[0-9A-Za-z]+`)
)

// assetIDOf is the asset that an entry's name names; "" when there is none.
func assetIDOf(name string) string {
	base := path.Base(name)
	if stem := strings.TrimSuffix(base, path.Ext(base)); wholeAssetID.MatchString(stem) {
		return stem
	}
	return assetIDPart.FindString(name)
}

// finish writes the list of contents, which says that all is there, and deletes the archive if it is to go. before is what
// the key held when this run began.
func (r *run) finish(ctx context.Context, before *existing) error {
	o := object{
		key: r.j.contentsKey(), contentType: "application/x-ndjson",
		metadata: map[string]string{
			metaObjects: strconv.FormatInt(r.result.TotalObjects, 10), metaBytes: strconv.FormatInt(r.result.TotalBytes, 10),
		},
	}
	if before != nil {
		o.match = aws.ToString(before.ETag)
	}
	w := r.newWriter(ctx, o)
	defer w.close()
	sum := crc32.NewIEEE()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	err := r.eachEntry(ctx, func(e *zipfile.Entry, n, key string) error {
		l := line{Name: n, Key: key, Size: e.Size, CRC32: fmt.Sprintf("%08x", e.CRC32), AssetID: assetIDOf(n), ContentType: typeByName(key)}
		if l.ContentType == "" {
			l.ContentType = r.types.get(e.Index)
		}
		return lines.Encode(l)
	})
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	w.o.crc = sum.Sum32()
	if err := w.finish(); err != nil {
		return err
	}
	return r.conclude(ctx)
}

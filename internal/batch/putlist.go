package batch

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// listsPrefix is where lists are put that came in a request. No batch's own files are there: their prefixes end with a
// digest.
const listsPrefix = WorkPrefix + "lists/"

// PutList writes a list that came in a request, duplicates and all, one ID a line. Its key is made of the content: the same
// list under the same name is always the same object. name becomes that of the batch's archives; a path's last part
// counts, without its end. The object appears whole or not at all.
func (s Storage) PutList(ctx context.Context, name string, ids []string) (List, error) {
	sum := sha256.New()
	for _, id := range ids {
		_, _ = sum.Write(append([]byte(id), '\n'))
	}
	name = plainName(strings.TrimSuffix(path.Base(name), path.Ext(name)))
	l := List{Key: listsPrefix + hex.EncodeToString(sum.Sum(nil))[:32] + "/" + name + ".txt", Format: FormatText}
	out := s.Upload(ctx, l.Key, "text/plain", nil)
	defer out.Abort()
	lines := bufio.NewWriterSize(out, 64<<10)
	for _, id := range ids {
		_, _ = lines.WriteString(id)
		_ = lines.WriteByte('\n')
	}
	if err := lines.Flush(); err != nil { // the first error of a bufio.Writer is its last one, too
		return List{}, err
	}
	return l, out.Close()
}

// IsLong says whether a request has more asset IDs than go into one archive, repeats counted. It checks nothing else.
func IsLong(request []byte) bool {
	var r struct {
		Query struct {
			AssetIDs []json.RawMessage `json:"assetIds"`
		} `json:"query"`
	}
	_ = json.Unmarshal(request, &r) // the parser that reads it all says what is wrong with it
	return len(r.Query.AssetIDs) > scenario.MaxAssets
}

// Unique is ids without repeats, in their order.
func Unique(ids []string) []string {
	seen := make(map[string]struct{}, len(ids))
	var unique []string
	for _, id := range ids {
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			unique = append(unique, id)
		}
	}
	return unique
}

// Of is the text of an execution's input that asks for the same of a list: one text for one list and request, because a
// start is only repeatable with the same input.
func (in Input) Of(l List) (string, error) {
	in.List, in.AssetIDs = &l, nil
	text, err := json.Marshal(in)
	return string(text), err
}

package system

import (
	"context"
	"encoding/json"
	"io"
	"path"
	"strings"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/local/notify"
)

// maxNote is more than a note of the inbox ever has.
const maxNote = 1 << 20

// hasNote says whether the inbox has written a note about exactly this object that needs no change: then its event needs
// no delivery after a restart. An execution that was running may have ended meanwhile. When the note cannot be read, the
// answer is no.
func (c storage) hasNote(ctx context.Context, key string, at time.Time) bool {
	stem := strings.TrimSuffix(key, path.Ext(key))
	for _, name := range []string{stem + ".status.json", stem + ".error.json", key + ".status.json", key + ".error.json"} {
		if c.noteIsOf(ctx, name, key, notify.Time(at)) {
			return true
		}
	}
	return false
}

func (c storage) noteIsOf(ctx context.Context, note, key, at string) bool {
	bucket := Bucket
	out, err := c.api.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: &note})
	if err != nil {
		return false
	}
	defer out.Body.Close()
	var n struct {
		Request   string `json:"request"`
		DroppedAt string `json:"droppedAt"`
		Status    string `json:"status"`
	}
	err = json.NewDecoder(io.LimitReader(out.Body, maxNote)).Decode(&n)
	return err == nil && n.Request == key && n.DroppedAt == at && n.Status != "running"
}

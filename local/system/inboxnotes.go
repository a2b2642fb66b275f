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

// notes are what the inbox has written into the bucket.
type notes struct{ client *awss3.Client }

// maxNote is more than a note of the inbox ever has.
const maxNote = 1 << 20

// has says whether the inbox has written a note about exactly this object that needs no change: then its event needs
// no delivery after a restart. An execution that was running may have ended meanwhile. When the note cannot be read, the
// answer is no.
func (n notes) has(ctx context.Context, key string, at time.Time) bool {
	stem := strings.TrimSuffix(key, path.Ext(key))
	for _, name := range []string{stem + ".status.json", stem + ".error.json", key + ".status.json", key + ".error.json"} {
		if n.isOf(ctx, name, key, notify.Time(at)) {
			return true
		}
	}
	return false
}

func (n notes) isOf(ctx context.Context, note, key, at string) bool {
	bucket := Bucket
	out, err := n.client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: &note})
	if err != nil {
		return false
	}
	defer out.Body.Close()
	var read struct {
		Request   string `json:"request"`
		DroppedAt string `json:"droppedAt"`
		Status    string `json:"status"`
	}
	err = json.NewDecoder(io.LimitReader(out.Body, maxNote)).Decode(&read)
	return err == nil && read.Request == key && read.DroppedAt == at && read.Status != "running"
}

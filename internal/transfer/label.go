package transfer

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// S3 keeps nothing with an upload in progress that a later process could find it by: listings name key, ID and time.
// So each upload carries two small parts of numbers that hold no data, its labels. Their sizes and checksums, which
// ListParts shows, are those of texts that only the same owner with the same source comes to. CompleteMultipartUpload
// does not name them, and S3 drops parts that are not named.
//
// The part size is written as the label's length (labelBase + MiB), so that an upload goes on with the part size that
// it was started with, whatever the options say now.
const labelBase = 512

type label struct {
	size int64
	crc  uint64
}

func labelText(kind string, length int64, fields ...string) []byte {
	text := "scenario-archive transfer label 1\n" + kind + "\n" + strings.Join(fields, "\n") + "\n"
	return append([]byte(text), bytes.Repeat([]byte{' '}, int(max(0, length-int64(len(text)))))...)
}

func (o *Object) ownerLabel() []byte {
	return labelText("owner", labelBase+maxOwnerBytes+maxKeyBytes, o.Bucket, o.Key, o.Owner)
}

func sourceLabel(ident source.Identity, partSize int64) []byte {
	return labelText("source", labelBase+partSize/mib, ident.String(), fmt.Sprint(firstRange), fmt.Sprint(partSize))
}

func newLabel(text []byte) label { return label{int64(len(text)), crc64nvme.Update(0, text)} }

// partSizeOf reads the part size out of a source label, and whether the label is that of ident.
func partSizeOf(l label, ident source.Identity) (partSize int64, ok bool) {
	partSize = (l.size - labelBase) * mib
	if partSize < minPartSize || partSize > maxPartSize {
		return 0, false
	}
	return partSize, newLabel(sourceLabel(ident, partSize)) == l
}

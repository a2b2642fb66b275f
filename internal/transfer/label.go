package transfer

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3 keeps nothing with an upload in progress that a later process could find it by: listings name key, ID and time.
// So each upload carries two small parts of numbers that hold no data, its labels. Their sizes and checksums, which
// ListParts shows, are those of texts that only the same owner with the same source comes to. CompleteMultipartUpload
// does not name them, and S3 drops parts that are not named.
//
// The part size is written as the label's length (labelBase + MiB), so that an upload goes on with the part size that
// it was begun with, whatever the options say now.
const labelBase = 512

type label struct {
	size int64
	crc  uint64
}

func labelText(kind string, length int64, fields ...string) []byte {
	text := "scenario-archive transfer label 1\n" + kind + "\n" + strings.Join(fields, "\n") + "\n"
	return append([]byte(text), bytes.Repeat([]byte{' '}, int(max(0, length-int64(len(text)))))...)
}

func (r *run) ownerLabel() []byte {
	return labelText("owner", labelBase+maxOwnerBytes+maxKeyBytes, r.o.Bucket, r.o.Key, r.o.Owner)
}

func sourceLabel(ident identity, partSize int64) []byte {
	return labelText("source", labelBase+partSize/mib, ident.String(), fmt.Sprint(firstRange), fmt.Sprint(partSize))
}

func newLabel(text []byte) label { return label{int64(len(text)), crcUpdate(0, text)} }

// partSizeOf reads the part size out of a source label, and whether the label is that of ident.
func partSizeOf(l label, ident identity) (partSize int64, ok bool) {
	partSize = (l.size - labelBase) * mib
	if partSize < minPartSize || partSize > maxPartSize {
		return 0, false
	}
	return partSize, newLabel(sourceLabel(ident, partSize)) == l
}

func (r *run) putLabel(ctx context.Context, uploadID string, number int32, text []byte) error {
	sum := crcText(crcUpdate(0, text))
	_, err := attempt(ctx, r.budget, "label upload", func(ctx context.Context) (*s3.UploadPartOutput, error) {
		return r.t.s3.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &r.o.Bucket, Key: &r.o.Key, UploadId: &uploadID, PartNumber: &number,
			Body: bytes.NewReader(text), ContentLength: aws.Int64(int64(len(text))),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumCRC64NVME: &sum,
			ExpectedBucketOwner: r.o.expectedOwner(),
		}, once)
	})
	return err
}

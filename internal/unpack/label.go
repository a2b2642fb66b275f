package unpack

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/crc64nvme"
)

// labelPart holds no data. S3 keeps nothing with an upload in progress that a later process could know it by; so each
// carries a small part whose size and checksum, which ListParts shows, only the same owner comes to. Completion does not
// name it, and S3 drops it.
const labelPart = maxPartNumber

func (r *run) label(key string) []byte {
	return []byte("scenario-archive unpack label 1\n" + strings.Join([]string{r.j.Bucket, key, r.j.Owner}, "\n") + "\n")
}

// abortLeft aborts what a killed process of this owner has left below the prefix.
func (r *run) abortLeft(ctx context.Context, prefix string) error {
	in := &s3.ListMultipartUploadsInput{Bucket: &r.j.Bucket, Prefix: optional(prefix), ExpectedBucketOwner: optional(r.j.BucketOwner)}
	for {
		out, err := r.s3.ListMultipartUploads(ctx, in)
		if err != nil {
			return storageError("list uploads", err)
		}
		for _, u := range out.Uploads {
			key, id := aws.ToString(u.Key), aws.ToString(u.UploadId)
			left, err := r.isLeft(ctx, key, id, time.Since(aws.ToTime(u.Initiated)))
			if err != nil {
				return err
			}
			if left {
				if err := r.abort(ctx, key, id); err != nil {
					return err
				}
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}

// sweep aborts what a failed run has left, with time of its own: a create may have been repeated whose answer was lost.
func (r *run) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := r.abortLeft(ctx, r.j.Prefix); err != nil {
		r.u.opt.Logger.Warn("uploads not aborted", "prefix", r.j.Prefix, "error", err)
	}
}

// isLeft: the upload has this owner's label, or nothing at all, as a crash right after its beginning leaves it.
func (r *run) isLeft(ctx context.Context, key, id string, age time.Duration) (bool, error) {
	in := &s3.ListPartsInput{
		Bucket: &r.j.Bucket, Key: &key, UploadId: &id, ExpectedBucketOwner: optional(r.j.BucketOwner),
		PartNumberMarker: aws.String(strconv.Itoa(labelPart - 1)),
	}
	parts, err := r.s3.ListParts(ctx, in)
	if errorCode(err) == "NoSuchUpload" {
		return false, nil
	}
	if err != nil {
		return false, storageError("list parts", err)
	}
	label := r.label(key)
	for _, p := range parts.Parts {
		if aws.ToInt32(p.PartNumber) == labelPart {
			return aws.ToInt64(p.Size) == int64(len(label)) && aws.ToString(p.ChecksumCRC64NVME) == crcText(crc64nvme.Checksum(label)), nil
		}
	}
	if !r.j.Exclusive && age < r.u.opt.OrphanAge {
		return false, nil
	}
	in.PartNumberMarker = nil
	parts, err = r.s3.ListParts(ctx, in)
	if err != nil && errorCode(err) != "NoSuchUpload" {
		return false, storageError("list parts", err)
	}
	return err == nil && len(parts.Parts) == 0, nil
}

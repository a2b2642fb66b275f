package unpack

import (
	"context"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/checksum"
)

// Labels hold no data. S3 keeps nothing with an upload in progress that a later process could know it by; so each carries
// two small parts whose size and checksum, which ListParts shows, only the same owner comes to, and only for the same
// object. Completion does not name them, and S3 drops them.
const (
	sourceLabelPart = maxPartNumber - 1
	ownerLabelPart  = maxPartNumber
	maxDataParts    = sourceLabelPart - 1
)

// label is what ListParts shows of a part.
type label struct {
	size int64
	crc  string
}

func labelOf(text []byte) label {
	return label{int64(len(text)), checksum.Text(crc32.ChecksumIEEE(text))}
}

func (r *run) ownerLabel(key string) []byte {
	return []byte("scenario-archive unpack label 1\n" + strings.Join([]string{r.j.Bucket, key, r.j.Owner}, "\n") + "\n")
}

// sourceLabel names all that an upload got when it began and that its object will have: an upload of another archive, or of
// other metadata, is not resumed.
func (u *upload) sourceLabel() []byte {
	text := fmt.Appendf(nil, "scenario-archive unpack source 1\n%d\n%d\n%q\n%q\n%q\n", u.o.size, u.partSize, u.o.contentType,
		u.r.j.KMSKeyID, aws.ToString(bucket.Tagging(u.r.j.Tags)))
	meta := u.r.meta(&u.o)
	for _, name := range slices.Sorted(maps.Keys(meta)) {
		text = fmt.Appendf(text, "%q %q\n", name, meta[name])
	}
	return text
}

// left is an upload that an interrupted run of this owner began.
type left struct {
	id     string
	source label // zero: it was interrupted before that
}

// findLeft keeps of what interrupted runs have left one upload for each key, to be resumed, and aborts the others.
func (r *run) findLeft(ctx context.Context) error {
	r.left = map[string]left{}
	return r.eachLeft(ctx, func(key string, found left) error {
		kept, more := r.left[key]
		if more && kept.id < found.id { // two processes that find several choose the same
			return r.abort(ctx, key, found.id)
		}
		r.left[key] = found
		if more {
			return r.abort(ctx, key, kept.id)
		}
		return nil
	})
}

// abortLeft aborts what interrupted runs of this owner have left below the prefix.
func (r *run) abortLeft(ctx context.Context) error {
	return r.eachLeft(ctx, func(key string, found left) error { return r.abort(ctx, key, found.id) })
}

// eachLeft calls fn for each upload below the prefix that this owner began. Those that ended before they were labelled are
// aborted.
func (r *run) eachLeft(ctx context.Context, fn func(key string, found left) error) error {
	pages := s3.NewListMultipartUploadsPaginator(r.s3, &s3.ListMultipartUploadsInput{
		Bucket: &r.j.Bucket, Prefix: optional(r.j.Prefix), ExpectedBucketOwner: optional(r.j.BucketOwner),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return storageError("list uploads", err)
		}
		for _, u := range page.Uploads {
			key, id := aws.ToString(u.Key), aws.ToString(u.UploadId)
			found, owned, err := r.readLabels(ctx, key, id)
			if err != nil {
				return err
			}
			if owned {
				err = fn(key, found)
			} else {
				err = r.abortOrphan(ctx, key, id, time.Since(aws.ToTime(u.Initiated)))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// readLabels says whether an upload is this owner's, and what it was begun for.
func (r *run) readLabels(ctx context.Context, key, id string) (found left, owned bool, err error) {
	found.id = id
	err = r.eachPart(ctx, key, id, sourceLabelPart-1, func(p types.Part) {
		l := label{aws.ToInt64(p.Size), aws.ToString(p.ChecksumCRC32)}
		switch aws.ToInt32(p.PartNumber) {
		case ownerLabelPart:
			owned = l == labelOf(r.ownerLabel(key))
		case sourceLabelPart:
			found.source = l
		}
	})
	return found, owned, err
}

// abortOrphan aborts an upload that has nothing at all, as a crash right after its beginning leaves it. It names nobody:
// unless the prefix is this owner's alone, its age must speak.
func (r *run) abortOrphan(ctx context.Context, key, id string, age time.Duration) error {
	if !r.j.Exclusive && age < r.u.opt.OrphanAge {
		return nil
	}
	empty := true
	if err := r.eachPart(ctx, key, id, 0, func(types.Part) { empty = false }); err != nil || !empty {
		return err
	}
	return r.abort(ctx, key, id)
}

// eachPart calls fn for each part behind a number. An upload that is gone has none.
func (r *run) eachPart(ctx context.Context, key, id string, after int, fn func(types.Part)) error {
	pages := s3.NewListPartsPaginator(r.s3, &s3.ListPartsInput{
		Bucket: &r.j.Bucket, Key: &key, UploadId: &id, ExpectedBucketOwner: optional(r.j.BucketOwner),
		PartNumberMarker: aws.String(strconv.Itoa(after)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if bucket.ErrorCode(err) == "NoSuchUpload" {
			return nil
		}
		if err != nil {
			return storageError("list parts", err)
		}
		for _, p := range page.Parts {
			fn(p)
		}
	}
	return nil
}

// sweep aborts what this run and those before have left, with time of its own, after an error that running again does not
// heal.
func (r *run) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := r.abortLeft(ctx); err != nil {
		r.u.opt.Logger.Warn("uploads not aborted", "prefix", r.j.Prefix, "error", err)
	}
}

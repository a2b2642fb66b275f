package transfer

import (
	"context"
	"sort"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// callTimeout bounds every call of S3 but those that carry a part or complete an upload.
const callTimeout = 60 * time.Second

// upload is a multipart upload in progress and what is known of its parts.
type upload struct {
	id     string
	layout layout
	parts  []part // by number-1; grows when the size is not known
}

// part is a part that S3 has, by its own answer or listing.
type part struct {
	done bool
	etag string
	crc  uint64
	size int64
}

// candidate is an upload found under the key.
type candidate struct {
	id        string
	initiated time.Time
	owned     bool
	source    *label // nil: none yet
	empty     bool   // no parts at all, labels included
}

// uploads lists the unfinished uploads of this very key, with what their labels say.
func (r *run) uploads(ctx context.Context) ([]candidate, error) {
	var found []candidate
	in := &s3.ListMultipartUploadsInput{Bucket: &r.o.Bucket, Prefix: &r.o.Key, ExpectedBucketOwner: r.o.expectedOwner()}
	for {
		out, err := attempt(ctx, r.budget, "list uploads", func(ctx context.Context) (*s3.ListMultipartUploadsOutput, error) {
			return r.t.s3.ListMultipartUploads(ctx, in, once)
		})
		if err != nil {
			return nil, err
		}
		past := false
		for _, u := range out.Uploads {
			if key := aws.ToString(u.Key); key == r.o.Key {
				found = append(found, candidate{id: aws.ToString(u.UploadId), initiated: aws.ToTime(u.Initiated)})
			} else if key > r.o.Key {
				past = true // keys are listed in order, and the key itself comes before all that it begins
			}
		}
		if !aws.ToBool(out.IsTruncated) || past {
			break
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
	return r.readLabels(ctx, found)
}

func (r *run) readLabels(ctx context.Context, found []candidate) ([]candidate, error) {
	owner := newLabel(r.ownerLabel())
	kept := found[:0]
	for _, c := range found {
		listed, count, err := r.listParts(ctx, c.id, sourceLabelPart-1)
		if isKindGone(err) { // completed or aborted since
			continue
		}
		if err != nil {
			return nil, err
		}
		for number, p := range listed {
			l := label{p.size, p.crc}
			switch number {
			case ownerLabelPart:
				c.owned = l == owner
			case sourceLabelPart:
				c.source = &l
			}
		}
		if count == 0 {
			_, count, err = r.listParts(ctx, c.id, 0)
			if err != nil && !isKindGone(err) {
				return nil, err
			}
			c.empty = err == nil && count == 0
		}
		kept = append(kept, c)
	}
	// Two processes that found several must choose the same.
	sort.Slice(kept, func(i, j int) bool { return kept[i].id < kept[j].id })
	return kept, nil
}

// listParts are the parts of an upload beyond a number, those with our checksum alone: others cannot be relied on. count
// is that of all.
func (r *run) listParts(ctx context.Context, id string, beyond int) (parts map[int]part, count int, err error) {
	parts = map[int]part{}
	in := &s3.ListPartsInput{Bucket: &r.o.Bucket, Key: &r.o.Key, UploadId: &id, ExpectedBucketOwner: r.o.expectedOwner()}
	if beyond > 0 {
		in.PartNumberMarker = aws.String(strconv.Itoa(beyond))
	}
	for {
		out, err := attempt(ctx, r.budget, "list parts", func(ctx context.Context) (*s3.ListPartsOutput, error) {
			return r.t.s3.ListParts(ctx, in, once)
		})
		if err != nil {
			return nil, 0, err
		}
		for _, p := range out.Parts {
			addListed(parts, p)
		}
		count += len(out.Parts)
		if !aws.ToBool(out.IsTruncated) {
			return parts, count, nil
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
}

func addListed(parts map[int]part, p types.Part) {
	crc, ok := parseCRC(aws.ToString(p.ChecksumCRC64NVME))
	number := int(aws.ToInt32(p.PartNumber))
	if !ok || number < 1 || number > maxParts || aws.ToString(p.ETag) == "" {
		return
	}
	parts[number] = part{done: true, etag: *p.ETag, crc: crc, size: aws.ToInt64(p.Size)}
}

// openUpload finds this owner's upload, or begins one. Orphans of crashes are aborted on the way.
func (r *run) openUpload(ctx context.Context, l layout) (*upload, error) {
	found, err := r.uploads(ctx)
	if err != nil {
		return nil, err
	}
	r.abortOrphans(ctx, found)
	for _, c := range found {
		if c.owned {
			r.uploadID = c.id
			return r.resume(ctx, c, l)
		}
	}
	id, err := r.create(ctx, l)
	if err != nil {
		return nil, err
	}
	r.uploadID = id
	return &upload{id: id, layout: l, parts: make([]part, max(0, l.countKnown()))}, nil
}

func (r *run) create(ctx context.Context, l layout) (string, error) {
	out, err := attempt(ctx, r.budget, "create upload", func(ctx context.Context) (*s3.CreateMultipartUploadOutput, error) {
		return r.t.s3.CreateMultipartUpload(ctx, r.o.createInput(r.src.ident), once)
	})
	if err != nil {
		return "", err
	}
	id := aws.ToString(out.UploadId)
	if err := r.o.checkEncryption(out.ServerSideEncryption); err != nil {
		r.abortID(ctx, id)
		return "", err
	}
	// The owner's label first: from then on a crash leaves an upload that its owner finds.
	if err := r.putLabel(ctx, id, ownerLabelPart, r.ownerLabel()); err != nil {
		r.abortID(ctx, id)
		return "", err
	}
	return id, r.putLabel(ctx, id, sourceLabelPart, sourceLabel(r.src.ident, l.part))
}

// resume goes on with an upload. Its source must be the same; its part size is the one that it has.
func (r *run) resume(ctx context.Context, c candidate, l layout) (*upload, error) {
	if c.source == nil { // it ended between its two labels
		if err := r.putLabel(ctx, c.id, sourceLabelPart, sourceLabel(r.src.ident, l.part)); err != nil {
			return nil, err
		}
		return &upload{id: c.id, layout: l, parts: make([]part, max(0, l.countKnown()))}, nil
	}
	size, same := partSizeOf(*c.source, r.src.ident)
	if !same {
		return nil, &Error{Op: "resume upload", Kind: KindChanged, Reason: "the upload was begun with another archive"}
	}
	l.part = size
	listed, _, err := r.listParts(ctx, c.id, 0)
	if err != nil {
		return nil, err
	}
	return &upload{id: c.id, layout: l, parts: adopt(listed, l)}, nil
}

// adopt takes those listed parts over that are parts of this layout; all others are sent again.
func adopt(listed map[int]part, l layout) []part {
	count := l.countKnown()
	if count < 0 { // size not known: as far as whole parts go
		for count = 0; count < maxDataParts && listed[count+1].size == l.length(count+1); count++ {
		}
	}
	parts := make([]part, count)
	for i := range parts {
		if p := listed[i+1]; p.done && p.size == l.length(i+1) {
			parts[i] = p
		}
	}
	return parts
}

// countKnown is count, or -1 while the size is not known.
func (l layout) countKnown() int {
	if l.size < 0 {
		return -1
	}
	return l.count()
}

// checksum combines the parts' checksums in order.
func (u *upload) checksum() (c content) {
	for _, p := range u.parts {
		c.crc = crcCombine(c.crc, p.crc, p.size)
		c.size += p.size
	}
	return c
}

func (u *upload) done() (parts int, bytes int64) {
	for _, p := range u.parts {
		if p.done {
			parts++
			bytes += p.size
		}
	}
	return parts, bytes
}

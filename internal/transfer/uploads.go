package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// uploads are this owner's multipart uploads for the key: the one in use, and what earlier Runs have left.
type uploads struct {
	store     *store
	orphanAge time.Duration
	inUse     string // the ID; "" while there is none
}

// candidate is an upload found under the key.
type candidate struct {
	id        string
	initiated time.Time
	owned     bool
	source    *label // nil: none yet
	empty     bool   // no parts at all, labels included
}

// find lists the unfinished uploads of this very key, with what their labels say.
func (u *uploads) find(ctx context.Context) ([]candidate, error) {
	found, err := u.store.listUploads(ctx)
	if err != nil {
		return nil, err
	}
	kept := found[:0]
	for _, c := range found {
		switch err := u.readLabels(ctx, &c); {
		case err == nil:
			kept = append(kept, c)
		case !isGone(err): // completed or aborted since
			return nil, err
		}
	}
	// Two processes that found several must choose the same.
	slices.SortFunc(kept, func(a, b candidate) int { return strings.Compare(a.id, b.id) })
	return kept, nil
}

func (u *uploads) readLabels(ctx context.Context, c *candidate) error {
	listed, count, err := u.store.listParts(ctx, c.id, sourceLabelPart-1)
	if err != nil {
		return err
	}
	for number, p := range listed {
		l := label{p.size, p.crc}
		switch number {
		case ownerLabelPart:
			c.owned = l == newLabel(u.store.o.ownerLabel())
		case sourceLabelPart:
			c.source = &l
		}
	}
	if count > 0 {
		return nil
	}
	_, count, err = u.store.listParts(ctx, c.id, 0)
	c.empty = err == nil && count == 0
	if isGone(err) {
		return nil
	}
	return err
}

// open finds this owner's upload, or begins one. Orphans of crashes are aborted on the way. compared says that the parts
// it has are compared with the source's bytes; otherwise the upload must have been started with the same source.
func (u *uploads) open(ctx context.Context, ident source.Identity, l layout, compared bool) (*upload, error) {
	found, err := u.find(ctx)
	if err != nil {
		return nil, err
	}
	u.abortOrphans(ctx, found)
	for _, c := range found {
		if c.owned {
			u.inUse = c.id
			return u.resume(ctx, c, ident, l, compared)
		}
	}
	id, err := u.create(ctx, ident, l)
	if err != nil {
		return nil, err
	}
	u.inUse = id
	return &upload{id: id, layout: l, parts: adopt(nil, l)}, nil
}

func (u *uploads) create(ctx context.Context, ident source.Identity, l layout) (string, error) {
	s := u.store
	out, err := attempt(ctx, s.budget, "create upload", func(ctx context.Context) (*s3.CreateMultipartUploadOutput, error) {
		return s.s3.CreateMultipartUpload(ctx, s.o.createInput(ident), once)
	})
	if err != nil {
		return "", err
	}
	id := aws.ToString(out.UploadId)
	if refused := bucket.CheckEncryption(s.o.KMSKeyID, out.ServerSideEncryption); refused != nil {
		err = &Error{Op: "create upload", Kind: KindStorageRefused, Err: refused}
	} else { // the owner's label first: from then on a crash leaves an upload that its owner finds
		err = s.sendLabel(ctx, id, ownerLabelPart, s.o.ownerLabel())
	}
	if err != nil {
		_ = s.abort(ctx, id) // err is the cause
		return "", err
	}
	return id, s.sendLabel(ctx, id, sourceLabelPart, sourceLabel(ident, l.part))
}

// errOtherSource: an upload was started with another answer of the source. It may be the same archive all the same.
var errOtherSource = &Error{Op: "resume upload", Kind: KindChanged, Reason: "the upload was started with another archive"}

// resume goes on with an upload. Its part size is the one that it has.
func (u *uploads) resume(ctx context.Context, c candidate, ident source.Identity, l layout, compared bool) (*upload, error) {
	if c.source == nil { // it ended between its two labels
		if err := u.store.sendLabel(ctx, c.id, sourceLabelPart, sourceLabel(ident, l.part)); err != nil {
			return nil, err
		}
		return &upload{id: c.id, layout: l, parts: adopt(nil, l)}, nil
	}
	size, same := partSizeOf(*c.source, ident)
	if size == 0 || !same && !compared {
		return nil, errOtherSource
	}
	l.part = size
	listed, _, err := u.store.listParts(ctx, c.id, 0)
	if err != nil {
		return nil, err
	}
	return &upload{id: c.id, layout: l, parts: adopt(listed, l)}, nil
}

// abortOwn aborts all of this owner's uploads for the key.
func (u *uploads) abortOwn(ctx context.Context) error {
	found, err := u.find(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range found {
		if c.owned {
			errs = append(errs, u.store.abort(ctx, c.id))
		}
	}
	u.abortOrphans(ctx, found)
	return errors.Join(errs...)
}

// abortOrphans aborts what a crash between CreateMultipartUpload and its first label left. Such an upload names nobody,
// so only its age and its emptiness speak: no process of this project is that slow, and nobody else's work is lost. Where
// the key is this owner's alone it can be nobody else's, however young: at most a second process of this owner has to
// begin again.
func (u *uploads) abortOrphans(ctx context.Context, found []candidate) {
	for _, c := range found {
		if !c.owned && c.empty && (u.store.o.Exclusive || time.Since(c.initiated) >= u.orphanAge) {
			if err := u.store.abort(ctx, c.id); err != nil {
				u.store.log.Warn("orphaned upload not aborted", "key", u.store.o.Key, "error", err)
			}
		}
	}
}

// abortWithOwnContext cleans up even when the caller's context has ended.
func (u *uploads) abortWithOwnContext(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return u.abortOwn(ctx)
}

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

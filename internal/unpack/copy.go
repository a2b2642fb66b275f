package unpack

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/checksum"
	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// copiesAtOnce is how many parts of one entry S3 copies at the same time.
const copiesAtOnce = 8

// copyLarge writes a large stored entry. Its bytes are in S3 as they are to be: S3 copies them out of the archive, part by
// part, and answers with the CRC-32 of each (Amazon S3 API Reference, UploadPartCopy and CopyPartResult). Joined, they must be
// what the directory says. Only the local header comes here.
func (r *run) copyLarge(ctx context.Context, g group, e *entry) error {
	in := &input{r: r, ctx: ctx, limit: g.end, end: min(g.end, e.offset+zipfile.LocalHeaderLen+int64(e.nameLen)+1<<16+sniffed)}
	defer in.close()
	content, err := in.open(e)
	if err != nil {
		return err
	}
	from := in.at
	begin := make([]byte, sniffed)
	if _, err := io.ReadFull(content, begin); err != nil {
		return content.ended(err)
	}
	in.drain()
	r.settleType(e, begin)
	u := &upload{r: r, ctx: ctx, o: e.o, partSize: r.u.opt.copyPart}
	if err := u.open(); err != nil {
		return err
	}
	crc, err := u.copyAll(from)
	if err != nil {
		return err
	}
	if crc != e.o.crc {
		return e.otherChecksum(crc)
	}
	if err := r.publish(ctx, &u.o, u.complete); err != nil {
		return err
	}
	r.done(e.size, true)
	return nil
}

// copyAll makes all parts, of the archive's bytes from there on, and gives the CRC-32 of them together.
func (u *upload) copyAll(from int64) (crc uint32, err error) {
	count := int((u.o.size + u.partSize - 1) / u.partSize)
	u.parts = make([]types.CompletedPart, count)
	crcs := make([]uint32, count)
	sizeOf := func(i int) int64 { return min(u.partSize, u.o.size-int64(i)*u.partSize) }
	err = atOnce(u.ctx, copiesAtOnce, count, func(ctx context.Context, i int) (err error) {
		u.parts[i], crcs[i], err = u.copyPart(ctx, int32(i+1), from+int64(i)*u.partSize, sizeOf(i))
		return err
	})
	for i, part := range crcs {
		crc = checksum.Combine(checksum.IEEE, crc, part, sizeOf(i))
	}
	return crc, err
}

// copyPart makes sure that S3 has a part, which is size bytes of the archive.
func (u *upload) copyPart(ctx context.Context, number int32, from, size int64) (types.CompletedPart, uint32, error) {
	if p, crc, ok := u.found(number, size); ok {
		return p, crc, nil
	}
	j := &u.r.j
	out, err := u.r.s3.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
		Bucket: &j.Bucket, Key: &u.o.key, UploadId: &u.id, PartNumber: &number, ExpectedBucketOwner: optional(j.BucketOwner),
		CopySource: aws.String(copySource(j.Bucket, j.Key)), CopySourceIfMatch: &u.r.source.etag,
		CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", from, from+size-1)), ExpectedSourceBucketOwner: optional(j.BucketOwner),
	})
	switch {
	case isAnother(err):
		return types.CompletedPart{}, 0, u.r.source.changed()
	case err != nil:
		return types.CompletedPart{}, 0, storageError("write "+u.o.key, err)
	}
	var p types.CopyPartResult
	if out.CopyPartResult != nil {
		p = *out.CopyPartResult
	}
	crc, ok := checksum.Parse[uint32](aws.ToString(p.ChecksumCRC32))
	if !ok {
		return types.CompletedPart{}, 0, &Error{Op: "write " + u.o.key, Kind: KindStorageUnavailable, Reason: "S3 copied a part and did not say its CRC-32"}
	}
	u.r.parts.Add(1)
	return types.CompletedPart{PartNumber: &number, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32}, crc, nil
}

// copySource is an object as x-amz-copy-source has it.
func copySource(bucket, key string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(bucket + "/" + key))
}

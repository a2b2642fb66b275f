package unpack

import (
	"bytes"
	"context"
	"hash/crc32"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/checksum"
)

const (
	mib = int64(1) << 20
	// slabSize is a part's least size in S3 ("Amazon S3 multipart upload limits"), and so what fits into one buffer.
	slabSize = 5 * mib
	// slabs is how many buffers hold the archive at once.
	slabs          = 4
	maxPartNumber  = 10_000
	cleanupTimeout = 20 * time.Second
)

// unsigned leaves the SHA-256 of the payload out: the checksum covers it.
func unsigned(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

// put writes an object that is in memory.
func (r *run) put(ctx context.Context, o *object, content []byte) error {
	return r.publish(ctx, o, func(ctx context.Context) error {
		none, match := r.condition(o)
		out, err := r.s3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &r.j.Bucket, Key: &o.key, ExpectedBucketOwner: optional(r.j.BucketOwner), IfNoneMatch: none, IfMatch: match,
			Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))), ContentType: &o.contentType,
			ContentDisposition: aws.String(disposition(o.key)), Metadata: r.meta(o), Tagging: bucket.Tagging(r.j.Tags),
			ServerSideEncryption: bucket.Encryption(r.j.KMSKeyID), SSEKMSKeyId: optional(r.j.KMSKeyID),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumCRC32: aws.String(checksum.Text(o.crc)),
		}, unsigned)
		if err != nil {
			return err
		}
		if err := r.checkEncryption(out.ServerSideEncryption); err != nil {
			return err
		}
		return checkCRC(o.key, out.ChecksumCRC32, o.crc)
	})
}

// upload is a multipart upload of an object. The object appears when it is finished, or not at all.
//
// An upload that an interrupted run began is resumed: a part that S3 has already, of the same size and CRC-32, is not made
// again.
type upload struct {
	r        *run
	ctx      context.Context
	o        object
	partSize int64
	id       string               // "" before it began
	there    map[int32]types.Part // what it had when this run found it

	mu    sync.Mutex
	parts []types.CompletedPart
}

// found is a part of this size that an earlier run made.
func (u *upload) found(number int32, size int64) (part types.CompletedPart, crc uint32, ok bool) {
	p, ok := u.there[number]
	if !ok || aws.ToInt64(p.Size) != size {
		return part, 0, false
	}
	crc, ok = checksum.Parse[uint32](aws.ToString(p.ChecksumCRC32))
	return types.CompletedPart{PartNumber: &number, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32}, crc, ok
}

// sendPart makes sure that S3 has a part.
func (u *upload) sendPart(ctx context.Context, number int32, data []byte) (types.CompletedPart, error) {
	crc := crc32.ChecksumIEEE(data)
	if p, has, ok := u.found(number, int64(len(data))); ok && has == crc {
		return p, nil
	}
	text := checksum.Text(crc)
	out, err := u.r.s3.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &u.r.j.Bucket, Key: &u.o.key, UploadId: &u.id, PartNumber: &number, ExpectedBucketOwner: optional(u.r.j.BucketOwner),
		Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumCRC32: &text,
	}, unsigned)
	if err != nil {
		return types.CompletedPart{}, storageError("write "+u.o.key, err)
	}
	if err := checkCRC(u.o.key, out.ChecksumCRC32, crc); err != nil {
		return types.CompletedPart{}, err
	}
	if number <= maxDataParts {
		u.r.parts.Add(1)
	}
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC32: &text}, nil
}

// open goes on with the upload that an earlier run has left for this very object, or begins one.
func (u *upload) open() error {
	found, ok := u.r.left[u.o.key]
	if !ok {
		return u.create()
	}
	if found.source != labelOf(u.sourceLabel()) {
		if err := u.r.abort(u.ctx, u.o.key, found.id); err != nil {
			return err
		}
		return u.create()
	}
	u.id, u.there = found.id, map[int32]types.Part{}
	return u.r.eachPart(u.ctx, u.o.key, u.id, 0, func(p types.Part) { u.there[aws.ToInt32(p.PartNumber)] = p })
}

// create begins the upload. It is not interrupted: nobody would know the ID of what S3 makes then.
func (u *upload) create() error {
	r := u.r
	ctx := context.WithoutCancel(u.ctx)
	out, err := r.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &r.j.Bucket, Key: &u.o.key, ExpectedBucketOwner: optional(r.j.BucketOwner),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumType: types.ChecksumTypeFullObject,
		ContentType: &u.o.contentType, ContentDisposition: aws.String(disposition(u.o.key)), Metadata: r.meta(&u.o),
		Tagging:              bucket.Tagging(r.j.Tags),
		ServerSideEncryption: bucket.Encryption(r.j.KMSKeyID), SSEKMSKeyId: optional(r.j.KMSKeyID),
	})
	if err != nil {
		return storageError("write "+u.o.key, err)
	}
	u.id = aws.ToString(out.UploadId)
	if err := r.checkEncryption(out.ServerSideEncryption); err != nil {
		return err
	}
	// The owner's label first: from then on a crash leaves an upload that its owner finds.
	if _, err = u.sendPart(ctx, ownerLabelPart, r.ownerLabel(u.o.key)); err != nil {
		return err
	}
	_, err = u.sendPart(ctx, sourceLabelPart, u.sourceLabel())
	return err
}

func (u *upload) complete(ctx context.Context) error {
	none, match := u.r.condition(&u.o)
	out, err := u.r.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.r.j.Bucket, Key: &u.o.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.r.j.BucketOwner),
		IfNoneMatch: none, IfMatch: match, ChecksumType: types.ChecksumTypeFullObject,
		ChecksumCRC32: aws.String(checksum.Text(u.o.crc)), MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	if err != nil {
		return err
	}
	return checkCRC(u.o.key, out.ChecksumCRC32, u.o.crc)
}

func (r *run) abort(ctx context.Context, key, id string) error {
	_, err := r.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &r.j.Bucket, Key: &key, UploadId: &id, ExpectedBucketOwner: optional(r.j.BucketOwner),
	})
	if err == nil || bucket.ErrorCode(err) == "NoSuchUpload" {
		return nil
	}
	return storageError("abort upload", err)
}

// writer writes an object as it comes: at once when it fits into one part, as a multipart upload otherwise.
//
// When it resumes an upload, all of the content comes again: an inflater begins with the first byte. So a run costs the
// reading of what is there, and the rest of its time is progress: of 15 minutes, four at most for 20 GiB at S3's 85 MB/s a
// connection (bench/RESULTS.md). checkpoint ends what takes longer than a run only to be read.
type writer struct {
	upload
	slab []byte // the part that is being filled; nil: none yet

	sending sync.WaitGroup
	err     error // of a part; under mu
}

func (r *run) newWriter(ctx context.Context, o object) *writer {
	part := (max(o.size, slabSize*maxDataParts)/maxDataParts + mib - 1) / mib * mib
	return &writer{upload: upload{r: r, ctx: ctx, o: o, partSize: max(part, slabSize)}}
}

// Write takes p; an error of a part that is on its way comes with a later call.
func (w *writer) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if err := w.failure(); err != nil {
			return 0, err
		}
		if w.slab == nil {
			slab, err := w.r.slab(w.ctx, w.partSize)
			if err != nil {
				return 0, err
			}
			w.slab = slab[:0]
		}
		n := min(len(p), int(w.partSize)-len(w.slab))
		w.slab = append(w.slab, p[:n]...)
		if p = p[n:]; len(p) > 0 && len(w.slab) == int(w.partSize) {
			if err := w.send(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

// send starts the upload of the part that is full.
func (w *writer) send() error {
	if w.id == "" {
		if err := w.open(); err != nil {
			return err
		}
	}
	slab := w.slab
	w.slab = nil
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{PartNumber: aws.Int32(int32(len(w.parts) + 1))})
	number := len(w.parts)
	w.mu.Unlock()
	w.sending.Go(func() {
		defer w.r.release(slab)
		part, err := w.sendPart(w.ctx, int32(number), slab)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil && w.err == nil {
			w.err = err
		}
		w.parts[number-1] = part
	})
	return nil
}

func (w *writer) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// finish makes the object appear. Its CRC-32 is known by now.
func (w *writer) finish() error {
	if w.id == "" {
		return w.r.put(w.ctx, &w.o, w.slab)
	}
	if len(w.slab) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	w.sending.Wait()
	if err := w.failure(); err != nil {
		return err
	}
	return w.r.publish(w.ctx, &w.o, w.complete)
}

// close frees the buffers. An upload that was not finished stays for the next run, or for the sweep after an error.
func (w *writer) close() {
	w.sending.Wait()
	if w.slab != nil {
		w.r.release(w.slab)
		w.slab = nil
	}
}

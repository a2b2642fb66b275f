package unpack

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/crc64nvme"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

const (
	mib = int64(1) << 20
	// slabSize is a part's least size in S3 ("Amazon S3 multipart upload limits"), and so what fits into one buffer.
	slabSize       = 5 * mib
	maxPartNumber  = 10_000
	cleanupTimeout = 20 * time.Second
)

// unsigned leaves the SHA-256 of the payload out: the checksum covers it.
func unsigned(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

// put writes an object that is in memory.
func (r *run) put(ctx context.Context, o *object, content []byte) error {
	crc := crc64nvme.Checksum(content)
	return r.publish(ctx, o, func(ctx context.Context) error {
		sse, kms := r.encryption()
		none, match := r.condition(o)
		out, err := r.s3.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &r.j.Bucket, Key: &o.key, ExpectedBucketOwner: optional(r.j.BucketOwner), IfNoneMatch: none, IfMatch: match,
			Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))), ContentType: &o.contentType,
			ContentDisposition: aws.String(disposition(o.key)), Metadata: r.meta(o), Tagging: r.tagging(),
			ServerSideEncryption: sse, SSEKMSKeyId: kms,
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumCRC64NVME: aws.String(crcText(crc)),
		}, unsigned)
		if err != nil {
			return err
		}
		if err := r.checkEncryption(out.ServerSideEncryption); err != nil {
			return err
		}
		return checkCRC(o.key, out.ChecksumCRC64NVME, crc)
	})
}

// writer writes an object as it comes: at once when it fits into one part, as a multipart upload otherwise. The object
// appears with finish, or not at all.
//
// An upload that an interrupted run began is resumed. All of the content comes again, for a checksum of it, and an
// inflater, begin with the first byte; but a part that S3 has already, with the size and the CRC64NVME of what came, is not
// sent again. So a run costs the reading of what is there, and the rest of its time is progress: of 15 minutes, four at most
// for 20 GiB at S3's 85 MB/s a connection (bench/RESULTS.md). checkpoint ends what takes longer than a run only to be read.
type writer struct {
	r        *run
	ctx      context.Context
	o        object
	partSize int64
	slab     []byte // the part that is being filled; nil: none yet
	id       string // of the multipart upload, once there is one
	crc      uint64
	there    map[int32]types.Part // what the upload had when this run found it

	flying sync.WaitGroup
	mu     sync.Mutex
	parts  []types.CompletedPart
	err    error
}

func (r *run) newWriter(ctx context.Context, o object) *writer {
	part := (max(o.size, slabSize*maxDataParts)/maxDataParts + mib - 1) / mib * mib
	return &writer{r: r, ctx: ctx, o: o, partSize: max(part, slabSize)}
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
	w.crc = crc64nvme.Update(w.crc, slab)
	w.mu.Lock()
	w.parts = append(w.parts, types.CompletedPart{PartNumber: aws.Int32(int32(len(w.parts) + 1))})
	number := len(w.parts)
	w.mu.Unlock()
	w.flying.Go(func() {
		defer w.r.release(slab)
		part, err := w.part(int32(number), slab)
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

// part makes sure that S3 has a part.
func (w *writer) part(number int32, data []byte) (types.CompletedPart, error) {
	if p, ok := w.there[number]; ok && aws.ToInt64(p.Size) == int64(len(data)) {
		if crc := crcText(crc64nvme.Checksum(data)); aws.ToString(p.ChecksumCRC64NVME) == crc {
			return types.CompletedPart{PartNumber: &number, ETag: p.ETag, ChecksumCRC64NVME: &crc}, nil
		}
	}
	sent, err := w.r.sendPart(w.ctx, &w.o, w.id, number, data)
	if err == nil {
		w.r.progress.parts.Add(1)
	}
	return sent, err
}

func (r *run) sendPart(ctx context.Context, o *object, id string, number int32, data []byte) (types.CompletedPart, error) {
	crc := crc64nvme.Checksum(data)
	out, err := r.s3.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &r.j.Bucket, Key: &o.key, UploadId: &id, PartNumber: &number, ExpectedBucketOwner: optional(r.j.BucketOwner),
		Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumCRC64NVME: aws.String(crcText(crc)),
	}, unsigned)
	if err != nil {
		return types.CompletedPart{}, storageError("write "+o.key, err)
	}
	if err := checkCRC(o.key, out.ChecksumCRC64NVME, crc); err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC64NVME: aws.String(crcText(crc))}, nil
}

// open goes on with the upload that an earlier run has left for this very object, or begins one.
func (w *writer) open() error {
	found, ok := w.r.left[w.o.key]
	if !ok {
		return w.create()
	}
	if found.source != labelOf(w.sourceLabel()) {
		if err := w.r.abort(w.ctx, w.o.key, found.id); err != nil {
			return err
		}
		return w.create()
	}
	w.id, w.there = found.id, map[int32]types.Part{}
	return w.r.eachPart(w.ctx, w.o.key, w.id, 0, func(p types.Part) { w.there[aws.ToInt32(p.PartNumber)] = p })
}

// create begins the upload. It is not interrupted: nobody would know the ID of what S3 makes then.
func (w *writer) create() error {
	r := w.r
	ctx := context.WithoutCancel(w.ctx)
	sse, kms := r.encryption()
	out, err := r.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &r.j.Bucket, Key: &w.o.key, ExpectedBucketOwner: optional(r.j.BucketOwner),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
		ContentType: &w.o.contentType, ContentDisposition: aws.String(disposition(w.o.key)), Metadata: r.meta(&w.o),
		Tagging: r.tagging(), ServerSideEncryption: sse, SSEKMSKeyId: kms,
	})
	if err != nil {
		return storageError("write "+w.o.key, err)
	}
	w.id = aws.ToString(out.UploadId)
	if err := r.checkEncryption(out.ServerSideEncryption); err != nil {
		return err
	}
	// The owner's label first: from then on a crash leaves an upload that its owner finds.
	if _, err = r.sendPart(ctx, &w.o, w.id, ownerLabelPart, r.ownerLabel(w.o.key)); err != nil {
		return err
	}
	_, err = r.sendPart(ctx, &w.o, w.id, sourceLabelPart, w.sourceLabel())
	return err
}

// finish makes the object appear.
func (w *writer) finish() error {
	if w.id == "" {
		return w.r.put(w.ctx, &w.o, w.slab)
	}
	if len(w.slab) > 0 {
		if err := w.send(); err != nil {
			return err
		}
	}
	w.flying.Wait()
	if err := w.failure(); err != nil {
		return err
	}
	return w.r.publish(w.ctx, &w.o, w.complete)
}

func (w *writer) complete(ctx context.Context) error {
	none, match := w.r.condition(&w.o)
	out, err := w.r.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.r.j.Bucket, Key: &w.o.key, UploadId: &w.id, ExpectedBucketOwner: optional(w.r.j.BucketOwner),
		IfNoneMatch: none, IfMatch: match, ChecksumType: types.ChecksumTypeFullObject,
		ChecksumCRC64NVME: aws.String(crcText(w.crc)), MultipartUpload: &types.CompletedMultipartUpload{Parts: w.parts},
	})
	if err != nil {
		return err
	}
	return checkCRC(w.o.key, out.ChecksumCRC64NVME, w.crc)
}

// close frees the buffers. An upload that was not finished stays for the next run, or for the sweep after an error.
func (w *writer) close() {
	w.flying.Wait()
	if w.slab != nil {
		w.r.release(w.slab)
		w.slab = nil
	}
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

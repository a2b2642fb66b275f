// Package unpack makes the files of a ZIP archive that lies in S3 into objects beside it. The archive's directory is read
// as a stream, its entries in parallel, small neighbours with one request. A large entry becomes a multipart upload: fed as
// it inflates, or, where it is stored, copied by S3 itself. Nothing touches the disk, and memory grows neither with the
// archive nor with its entries. An object appears only after its size and CRC-32 agreed with the directory, and S3 has
// verified that CRC-32.
//
// What it needs of S3: GetObject (and HeadObject), PutObject, ListBucket, ListBucketMultipartUploads,
// ListMultipartUploadParts and AbortMultipartUpload; PutObjectTagging for tags; DeleteObject to remove the archive; the
// key's GenerateDataKey and Decrypt for SSE-KMS.
package unpack

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// Options tune an Unpacker. The zero value of each field means its documented default.
type Options struct {
	Concurrency int // objects written at once; default 32
	// StallTimeout breaks a read of the archive that brings no byte for this long; default 20 s.
	StallTimeout time.Duration
	// CallTimeout bounds each attempt of every other call of S3; default 60 s.
	CallTimeout time.Duration
	// OrphanAge is how old an upload without any part must be to be taken for the remains of a crash; default 15 min.
	OrphanAge time.Duration

	Logger           *slog.Logger
	Progress         func(Result)  // called from one goroutine
	ProgressInterval time.Duration // default 250 ms

	// For tests:
	copyPart int64            // how much S3 copies with one call; default 64 MiB
	backoff  time.Duration    // the longest between two attempts
	now      func() time.Time // the clock that says when to begin no new entry
}

// Job is an archive and where its files go.
type Job struct {
	Bucket string
	Key    string // of the archive
	ETag   string // of the archive, as S3 quotes it: another archive at the key is not unpacked. "" takes what is there
	Prefix string // of the objects, with its slash
	// Owner names whose objects they are, for all repeats of the same work: an execution's ARN. Printable ASCII, 512 bytes
	// at most.
	Owner string
	// Overwrite allows to replace any object. Without it only this owner's own objects are replaced.
	Overwrite bool
	// Exclusive says that nobody but this owner writes below the prefix.
	Exclusive bool
	// DropArchive deletes the archive when all objects are there.
	DropArchive bool
	// Part says that other archives of a batch are unpacked below the same prefix, perhaps at this moment: "<batch>-<number>".
	// An entry whose key another of them has becomes a~archive-<number>.png, and contents-<number>.jsonl lists the entries.
	// Such objects are not replaced, whatever Overwrite says.
	Part string

	Metadata    map[string]string // of each object; printable ASCII; "unpack-…" is taken
	Tags        map[string]string
	KMSKeyID    string // SSE-KMS with this key; "" leaves it to the bucket's default
	BucketOwner string // account that must own the bucket; "" checks nothing
}

// Result is what a Run did. Without Finished, the numbers are how far it is.
type Result struct {
	Finished                 bool
	Objects, Bytes           int64 // there now
	TotalObjects, TotalBytes int64
	Contents                 string // the key of contents.jsonl; set with Finished
	Written                  int64  // objects that this very Run wrote
	WrittenBytes             int64
	Repeated                 bool // everything was there already
}

// contentsName is the list of contents of an archive that is in no batch, behind the prefix.
var contentsName = archive.ContentsName("")

// contentsKey is the key of the list of contents. It is written last.
func (j *Job) contentsKey() string { return j.Prefix + archive.ContentsName(j.Part) }

// Unpacker unpacks archives. It may be used by several goroutines at once.
type Unpacker struct {
	s3  *s3.Client
	opt Options
}

// New makes an Unpacker. Build the S3 client with transfer.TuneStorage.
func New(client *s3.Client, opt Options) *Unpacker {
	opt.setDefaults()
	return &Unpacker{s3: tuned(client, opt), opt: opt}
}

func (o *Options) setDefaults() {
	o.Concurrency = cmp.Or(o.Concurrency, 32)
	o.StallTimeout = cmp.Or(o.StallTimeout, 20*time.Second)
	o.CallTimeout = cmp.Or(o.CallTimeout, 60*time.Second)
	o.OrphanAge = cmp.Or(o.OrphanAge, 15*time.Minute)
	o.ProgressInterval = cmp.Or(o.ProgressInterval, 250*time.Millisecond)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.copyPart = cmp.Or(o.copyPart, 64*mib)
	o.backoff = cmp.Or(o.backoff, 5*time.Second)
	if o.now == nil {
		o.now = time.Now
	}
}

func (j *Job) check() error {
	switch {
	case j.Bucket == "" || j.Key == "":
		return invalid("no bucket or no key")
	case len(j.Prefix) > MaxPrefix || !utf8.ValidString(j.Prefix):
		return invalid("the prefix is longer than %d bytes or not UTF-8", MaxPrefix)
	case j.Prefix != "" && !strings.HasSuffix(j.Prefix, "/"):
		return invalid("the prefix does not end with a slash")
	case j.Part != "" && !archive.ValidPart(j.Part):
		return invalid("the part is not a batch and a number")
	case j.Owner == "" || len(j.Owner) > 512 || !bucket.IsPrintable(j.Owner):
		return invalid("the owner must be 1 to 512 bytes of printable ASCII")
	}
	return nil
}

// Run unpacks the archive, or continues what an earlier Run of the same owner began: S3 says which objects are there.
//
// Without an error and with Result.Finished, every object is there, whole and verified, and contents.jsonl lists them.
// Without Finished, the context's deadline was near: run again. An error is always an *Error; objects that were written stay
// and are whole. Uploads of large entries stay for the next Run where running again goes on: without Finished, and after
// KindStorageUnavailable and KindCanceled. Who does not run again calls Abort. Running again after the end changes nothing
// and returns the same result.
func (u *Unpacker) Run(ctx context.Context, j Job) (Result, error) {
	if err := j.check(); err != nil {
		return Result{}, err
	}
	r := newRun(u, j)
	err := r.run(ctx)
	if err == nil {
		return r.result, nil
	}
	e := r.failure(ctx, err)
	if e.Kind != KindStorageUnavailable && e.Kind != KindCanceled {
		r.sweep(ctx)
	}
	return r.result, e
}

// Abort aborts what an interrupted Run of this owner has left of unfinished uploads, and nothing else.
func (u *Unpacker) Abort(ctx context.Context, j Job) error {
	if err := j.check(); err != nil {
		return err
	}
	r := newRun(u, j)
	if err := r.abortLeft(ctx); err != nil {
		return r.failure(ctx, err)
	}
	return nil
}

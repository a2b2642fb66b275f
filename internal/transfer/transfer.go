// Package transfer moves an archive from an HTTP URL into one S3 object: in parallel ranges that stream straight into
// the parts of a multipart upload, in memory that does not grow with the archive, resumable after any interruption,
// and verified from end to end. It knows nothing of what the archive is for.
//
// The way through it: Run (transfer.go) makes a run (run.go), which looks at the key (store.go) and at the source (package
// source), and then moves the archive at once, in ranges (ranges.go, rangereader.go) or in order (inorder.go) into an
// upload (uploads.go, multipart.go, part.go). The run makes the object appear (publish.go), and its directory is read
// back (verify.go). Package failure has the errors and the budget of retries.
//
// What it needs of S3: HeadObject, GetObject, PutObject, ListBucket, ListBucketMultipartUploads,
// ListMultipartUploadParts and AbortMultipartUpload; PutObjectTagging for tags; the key's GenerateDataKey and Decrypt
// for SSE-KMS.
package transfer

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/transfer/failure"
	"github.com/scenario-archive/scenario-archive/internal/transfer/source"
)

// Options tune a Transferer. The zero value of each field means its documented default.
type Options struct {
	Concurrency int   // ranges in flight at most; default 64, at most 256. How many are used is found out while moving
	MaxMemory   int64 // bytes for buffers; default 128 MiB. It lowers the number in flight when it has to
	PartSize    int64 // bytes; default by the archive's size. 5 MiB at least, rounded up to whole MiB

	StallTimeout time.Duration // no byte from the source for this long breaks a connection; default 20 s
	// StorageTimeout breaks a part that S3 takes no byte of, and gives no answer to, for this long; default 60 s.
	StorageTimeout time.Duration
	// OrphanAge is how old an upload for the very key must be, without any part, to be taken for the remains of a crash
	// and aborted; default 15 min, a Lambda's life.
	OrphanAge time.Duration

	AllowedHosts  []string // exact names or *.domain; default source.DefaultHosts
	AllowLoopback bool     // this machine may be the source, by http too: for local runs only

	Logger           *slog.Logger
	Progress         func(Progress) // called from one goroutine at a time
	ProgressInterval time.Duration  // default 250 ms

	backoff time.Duration // the first retry's, for tests
}

// Progress is how far a transfer is.
type Progress struct {
	Bytes    int64 // in S3 or on the way there
	Size     int64 // -1 while unknown
	InFlight int
}

// Object is where the archive goes.
type Object struct {
	Bucket, Key string
	// Owner names whose upload and whose object it is, for all repeats of the same work: an execution's ARN. Printable
	// ASCII, 512 bytes at most.
	Owner string
	// Overwrite allows to replace any object. Without it only this owner's own object is replaced.
	Overwrite bool
	// Exclusive says that nobody but this owner writes the key, because it is made from the owner's name: what a crash
	// left there before it could be marked is this owner's, too.
	Exclusive bool

	// Least is how many files the archive must have: one with fewer is KindIncomplete.
	Least int64
	// Expected is how many files the archive should have: of one with fewer, the Result lists the names.
	Expected int64

	Metadata    map[string]string // printable ASCII, 1 KiB at most; lower-case names, of which "transfer-…" is taken
	Tags        map[string]string
	KMSKeyID    string // SSE-KMS with this key; "" leaves it to the bucket's default
	BucketOwner string // account that must own the bucket; "" checks nothing
}

// Result is what a Run did. Only with Finished is there an object, and then all fields are set.
type Result struct {
	Finished          bool
	Size              int64 // -1 while unknown
	BytesDone         int64 // bytes that are safe in S3
	ETag              string
	ChecksumCRC64NVME string // of the whole object, base64
	Entries           int64  // files in the ZIP's directory
	// Names are those of the files, when there are fewer than Object.Expected; as bytes, whatever their encoding.
	Names []string
	Stats Stats
}

// Stats say how a Run went.
type Stats struct {
	Parts        int   // of the whole archive
	Resumed      int   // parts that were there already
	ResumedBytes int64 // their bytes
	Retries      int64 // requests repeated
	Peak         int   // ranges in flight at most
	Repeated     bool  // the object was there already
}

// Transferer moves archives. It may be used by several goroutines at once.
type Transferer struct {
	s3        S3
	opt       Options
	client    *source.Client
	streaming bool // parts stream; otherwise each is buffered
}

const cleanupTimeout = 20 * time.Second

// New makes a Transferer. Build the S3 client with TuneStorage.
func New(client S3, opt Options) *Transferer {
	opt.setDefaults()
	return &Transferer{
		s3: client, opt: opt, streaming: !plainHTTP(client),
		client: source.NewClient(source.Options{
			AllowedHosts: opt.AllowedHosts, AllowLoopback: opt.AllowLoopback, UserAgent: "scenario-archive",
			MaxConnections: opt.Concurrency + 4, StallTimeout: opt.StallTimeout, MinRate: 4 * kib,
		}),
	}
}

func (o *Options) setDefaults() {
	o.Concurrency = min(cmp.Or(o.Concurrency, defaultConcurrency), maxConcurrency)
	o.MaxMemory = cmp.Or(o.MaxMemory, defaultMaxMemory)
	o.StallTimeout = cmp.Or(o.StallTimeout, 20*time.Second)
	o.StorageTimeout = cmp.Or(o.StorageTimeout, 60*time.Second)
	o.OrphanAge = cmp.Or(o.OrphanAge, 15*time.Minute)
	o.ProgressInterval = cmp.Or(o.ProgressInterval, 250*time.Millisecond)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.backoff = cmp.Or(o.backoff, failure.BaseBackoff)
	if o.AllowedHosts == nil {
		o.AllowedHosts = source.DefaultHosts
	}
}

// Close frees the connections to sources that are kept for the next Run.
func (t *Transferer) Close() { t.client.Close() }

// Run moves what sourceURL serves into the object, or continues what an earlier Run of the same owner began.
//
// Without an error and with Result.Finished, the object is there, whole and verified. Without Finished, the context's
// deadline was near: run again with the same arguments, or with a fresh URL of the same archive. An error is always an
// *Error; if its kind is Resumable the upload is kept for another Run, otherwise it is aborted. Running again after
// the end changes nothing and returns the same result; so does a second Run of the same owner at the same time.
func (t *Transferer) Run(ctx context.Context, sourceURL string, o Object) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	r := t.newRun(o)
	result, err := r.run(ctx, sourceURL)
	if err == nil {
		return result, nil
	}
	e := failure.As("transfer", KindStorageUnavailable, err).Final()
	if ctx.Err() != nil && e.Kind.Resumable() {
		e = &Error{Op: e.Op, Kind: KindCanceled, Err: ctx.Err()}
	}
	if !e.Kind.Resumable() && e.Kind != KindInvalid {
		if abortErr := r.uploads.abortWithOwnContext(ctx); abortErr != nil {
			t.opt.Logger.Warn("upload not aborted", "key", o.Key, "error", abortErr)
		}
	}
	return result, e
}

// Abort aborts this owner's unfinished uploads for the key and nothing else. It is no error that there are none.
func (t *Transferer) Abort(ctx context.Context, o Object) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := t.newRun(o).uploads.abortOwn(ctx); err != nil {
		return failure.As("abort upload", KindStorageUnavailable, err).Final()
	}
	return nil
}

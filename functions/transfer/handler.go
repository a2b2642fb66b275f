package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

// maxLogged is how many missing assets a line of the log names.
const maxLogged = 20

// mover is what the handler needs of the transfer.
type mover interface {
	Run(ctx context.Context, sourceURL string, o transfer.Object) (transfer.Result, error)
	Abort(ctx context.Context, o transfer.Object) error
	Close()
}

type handler struct {
	// mover makes the transfer of one invocation, which logs its progress to that invocation's logger.
	mover    func(log *slog.Logger, key string) mover
	bucket   string // the only one that is written to
	owner    string // the account that must own it; "" means any
	kmsKeyID string // "" means the bucket's own encryption
}

func (h handler) transfer(ctx context.Context, log *slog.Logger, in archive.TransferInput) (archive.TransferOutput, error) {
	if err := h.check(in); err != nil {
		return archive.TransferOutput{}, err
	}
	request, err := parse(in)
	if err != nil {
		return archive.TransferOutput{}, err
	}
	m := h.mover(log, in.Destination.Key)
	defer m.Close()
	object := h.object(in)
	object.Least, object.Expected = request.LeastEntries(), request.Requested()
	if in.Abort {
		return archive.TransferOutput{}, named(m.Abort(ctx, object))
	}
	start := time.Now()
	result, err := m.Run(ctx, in.ArchiveURL, object)
	if err != nil {
		return archive.TransferOutput{}, named(err)
	}
	out := output(in, request, result)
	report(ctx, log, in, out, result, time.Since(start))
	return out, nil
}

// parse reads the request, of which the end of an upload needs nothing.
func parse(in archive.TransferInput) (archive.Request, error) {
	if in.Abort || in.Request == nil {
		return archive.Request{}, nil
	}
	return archive.ParseRequest(in.Request)
}

// report logs what this invocation did. Bytes that were in S3 before it are not counted again.
func report(ctx context.Context, log *slog.Logger, in archive.TransferInput, out archive.TransferOutput, r transfer.Result,
	took time.Duration) {
	s := r.Stats
	moved := r.BytesDone - s.ResumedBytes
	if s.Repeated {
		moved = 0
	}
	log.InfoContext(ctx, "transfer stopped", "finished", r.Finished, "bytes", r.BytesDone, "size", r.Size,
		"moved", moved, "key", in.Destination.Key, "entries", r.Entries, "parts", s.Parts, "resumed", s.Resumed,
		"retries", s.Retries, "peakInFlight", s.Peak, "repeated", s.Repeated)
	values := []telemetry.Metric{
		telemetry.MetricOf("BytesTransferred", telemetry.Bytes, float64(moved)),
		telemetry.MetricOf("TransferTime", telemetry.Seconds, took.Seconds()),
		telemetry.MetricOf("Throughput", telemetry.BytesPerSecond, float64(moved)/max(took.Seconds(), 1e-3)),
		telemetry.MetricOf("Retries", telemetry.Count, float64(s.Retries)),
		telemetry.MetricOf("ExecutionAge", telemetry.Seconds, in.Execution.Age(time.Now()).Seconds()),
	}
	if r.Finished {
		values = append(values, telemetry.MetricOf("ArchivesCompleted", telemetry.Count, 1))
	}
	if o := out.Output; o != nil && o.Missing != nil {
		values = append(values, telemetry.MetricOf("AssetsMissing", telemetry.Count, float64(o.Missing.Count)))
		log.WarnContext(ctx, "assets missing", "requested", o.Requested, "entries", o.Entries, "missing", o.Missing.Count,
			"assetIds", o.Missing.AssetIDs[:min(len(o.Missing.AssetIDs), maxLogged)], "key", o.Key)
	}
	telemetry.LogMetrics(ctx, log, values...)
}

func (h handler) check(in archive.TransferInput) error {
	if in.Destination.Bucket != h.bucket {
		return archive.NewError(archive.RequestInvalid, nil,
			"the destination's bucket is %q; this deployment writes to %q only", in.Destination.Bucket, h.bucket)
	}
	if in.Destination.Key == "" || in.Execution.ID == "" {
		return archive.NewError(archive.RequestInvalid, nil,
			"the event needs destination.key and execution.id: they say which object, and whose it is")
	}
	return nil
}

func (h handler) object(in archive.TransferInput) transfer.Object {
	d := in.Destination
	return transfer.Object{
		Bucket: d.Bucket, Key: d.Key, Owner: in.Execution.Owner(), Overwrite: d.Overwrite, Exclusive: d.Exclusive,
		// An execution's name may have any letters; metadata is a header, which may not.
		Metadata: map[string]string{
			"scenario-job-id":    url.PathEscape(in.Job.ID),
			"scenario-execution": url.PathEscape(in.Execution.Name),
		},
		Tags: d.Tags, KMSKeyID: h.kmsKeyID, BucketOwner: h.owner,
	}
}

func output(in archive.TransferInput, request archive.Request, r transfer.Result) archive.TransferOutput {
	out := archive.TransferOutput{Finished: r.Finished, BytesDone: r.BytesDone, BytesTotal: r.Size}
	if r.Finished {
		out.Output = &archive.Output{
			Bucket: in.Destination.Bucket, Key: in.Destination.Key, Size: r.Size, ETag: r.ETag,
			ChecksumCRC64NVME: r.ChecksumCRC64NVME, JobID: in.Job.ID, Entries: r.Entries,
			Requested: request.Requested(), Missing: request.Missing(r.Entries, r.Names),
		}
	}
	return out
}

const (
	startAgain = "Start the execution again"
	startLater = "Start the execution again later"
	askAgain   = "Nothing was kept; start the execution again, and if it happens again ask Scenario about the job"
)

// answers are what each kind of failure is called, and what to do about it where the error itself does not say.
var answers = map[transfer.Kind]struct {
	name   archive.Name
	advice string
}{
	transfer.KindURLExpired: {archive.ArchiveURLExpired, "A fresh URL comes with the job's next status"},
	transfer.KindChanged:    {archive.ArchiveChanged, startAgain},
	transfer.KindCorrupt:    {archive.ArchiveCorrupt, askAgain},
	transfer.KindNoArchive:  {archive.ArchiveCorrupt, askAgain},
	transfer.KindIncomplete: {archive.ArchiveIncomplete,
		`Check that all assets exist and that the key may see them, or ask without "strict"`},
	transfer.KindTooLarge:           {archive.ArchiveTooLarge, "Ask for fewer assets"},
	transfer.KindForbidden:          {archive.SourceForbidden, ""}, // each says its own
	transfer.KindSourceUnavailable:  {archive.SourceUnavailable, startLater},
	transfer.KindConflict:           {archive.DestinationConflict, "Choose another key, or set destination.overwrite"},
	transfer.KindStorageUnavailable: {archive.DestinationUnavailable, startLater},
	transfer.KindCanceled:           {archive.DestinationUnavailable, startLater},
	transfer.KindStorageRefused: {archive.DestinationRefused,
		"Check the bucket, its policy, its KMS key and the function's role"},
	transfer.KindInvalid: {archive.RequestInvalid, "Correct the request"},
}

// named turns an error of the transfer, always a *transfer.Error, into the named error that says what to do about it.
func named(err error) error {
	var e *transfer.Error
	if !errors.As(err, &e) {
		return err
	}
	answer := answers[e.Kind]
	return archive.NewError(answer.name, err, "%s. %s", strings.TrimRight(e.Error(), ". "), cmp.Or(e.Advice, answer.advice))
}

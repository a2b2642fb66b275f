package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
	"github.com/scenario-archive/scenario-archive/internal/unpack"
)

type handler struct {
	client   *s3.Client
	options  unpack.Options
	bucket   string // the only one that is read and written
	owner    string // the account that must own it; "" means any
	kmsKeyID string // "" means the bucket's own encryption
}

func (h handler) unpack(ctx context.Context, log *slog.Logger, in archive.UnpackInput) (archive.UnpackOutput, error) {
	if err := h.check(in); err != nil {
		return archive.UnpackOutput{}, err
	}
	o := h.options
	o.Logger = log
	o.Progress = func(p unpack.Result) {
		log.InfoContext(ctx, "unpack progress", "objects", p.Objects, "totalObjects", p.TotalObjects, "bytes", p.Bytes,
			"size", p.TotalBytes, "key", in.Destination.Key)
	}
	u := unpack.New(h.client, o)
	if in.Abort {
		return archive.UnpackOutput{}, named(u.Abort(ctx, h.job(in)))
	}
	start := time.Now()
	result, err := u.Run(ctx, h.job(in))
	if err != nil {
		return archive.UnpackOutput{}, named(err)
	}
	report(ctx, log, in, result, time.Since(start))
	return output(in, result), nil
}

// report logs what this invocation did. Objects that were in S3 before it are not counted again.
func report(ctx context.Context, log *slog.Logger, in archive.UnpackInput, r unpack.Result, took time.Duration) {
	log.InfoContext(ctx, "unpacking stopped", "finished", r.Finished, "objects", r.Objects, "totalObjects", r.TotalObjects,
		"bytes", r.Bytes, "size", r.TotalBytes, "written", r.Written, "writtenBytes", r.WrittenBytes,
		"key", in.Destination.Key, "repeated", r.Repeated)
	telemetry.LogMetrics(ctx, log,
		telemetry.MetricOf("ObjectsUnpacked", telemetry.Count, float64(r.Written)),
		telemetry.MetricOf("BytesUnpacked", telemetry.Bytes, float64(r.WrittenBytes)),
		telemetry.MetricOf("UnpackTime", telemetry.Seconds, took.Seconds()),
		telemetry.MetricOf("ExecutionAge", telemetry.Seconds, in.Execution.Age(time.Now()).Seconds()))
}

func (h handler) check(in archive.UnpackInput) error {
	d := in.Destination
	switch {
	case d.Bucket != h.bucket:
		return archive.NewError(archive.RequestInvalid, nil,
			"the archive's bucket is %q; this deployment uses %q only", d.Bucket, h.bucket)
	case d.Key == "" || in.Execution.ID == "":
		return archive.NewError(archive.RequestInvalid, nil,
			"the event needs destination.key and execution.id: they say which archive, and whose its objects are")
	case d.Unpack == nil || in.Archive == nil && !in.Abort:
		return archive.NewError(archive.RequestInvalid, nil,
			"the event needs destination.unpack and archive: where the files go, and what the transfer answered")
	}
	return nil
}

func (h handler) job(in archive.UnpackInput) unpack.Job {
	d := in.Destination
	j := unpack.Job{
		Bucket: d.Bucket, Key: d.Key, Prefix: d.Unpack.Prefix, Owner: in.Execution.Owner(),
		Overwrite: d.Overwrite, Exclusive: d.Unpack.Exclusive, DropArchive: !d.Unpack.KeepArchive,
		Part: d.Unpack.Part,
		// An execution's name and a key may have any letters; metadata is a header, which may not.
		Metadata: map[string]string{
			"scenario-job-id":    url.PathEscape(in.Job.ID),
			"scenario-execution": url.PathEscape(in.Execution.Name),
			"scenario-archive":   archiveKey(d.Key),
		},
		Tags: d.Tags, KMSKeyID: h.kmsKeyID, BucketOwner: h.owner,
	}
	if in.Archive != nil {
		j.ETag = in.Archive.ETag
	}
	return j
}

// archiveKey is the archive's key as metadata, of which an object has 2 KB in all.
func archiveKey(key string) string {
	escaped := (&url.URL{Path: key}).EscapedPath()
	if len(escaped) > 600 {
		return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key)))
	}
	return escaped
}

func output(in archive.UnpackInput, r unpack.Result) archive.UnpackOutput {
	out := archive.UnpackOutput{Finished: r.Finished, ObjectsDone: r.Objects, ObjectsTotal: r.TotalObjects, BytesDone: r.Bytes, BytesTotal: r.TotalBytes}
	done := *in.Archive
	if r.Finished {
		done.Unpacked = &archive.Unpacked{
			Prefix: in.Destination.Unpack.Prefix, Objects: r.Objects, Bytes: r.Bytes, Contents: r.Contents,
		}
	}
	out.Output = &done
	return out
}

// answers are what each kind of failure is called, and what to do about it.
var answers = map[unpack.Kind]struct {
	name   archive.Name
	advice string
}{
	unpack.KindCorrupt: {archive.ArchiveCorrupt,
		"What was unpacked is right, and the archive is kept; ask Scenario about the job"},
	unpack.KindUnsupported: {archive.ArchiveUnsupported, "The archive is kept; unpack it with a tool that knows it"},
	unpack.KindTooLarge:    {archive.ArchiveTooLarge, "The archive is kept; ask for fewer assets"},
	unpack.KindChanged:     {archive.ArchiveChanged, "Start the execution again"},
	unpack.KindConflict: {archive.DestinationConflict,
		"The archive is kept; choose another unpack.prefix, or set destination.overwrite"},
	unpack.KindStorageUnavailable: {archive.DestinationUnavailable, "Start the execution again later"},
	unpack.KindCanceled:           {archive.DestinationUnavailable, "Start the execution again later"},
	unpack.KindStorageRefused: {archive.DestinationRefused,
		"Check the bucket, its policy, its KMS key and the function's role"},
	unpack.KindInvalid:  {archive.RequestInvalid, "Correct the request"},
	unpack.KindInternal: {archive.Internal, "This is a fault of the software"},
}

// named turns an error of the unpacking, always an *unpack.Error, into the named error that says what to do about it.
func named(err error) error {
	var e *unpack.Error
	if !errors.As(err, &e) {
		return err
	}
	answer := answers[e.Kind]
	return archive.NewError(answer.name, err, "%v. %s", e, answer.advice)
}

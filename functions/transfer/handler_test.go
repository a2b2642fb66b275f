package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/transfer"
)

// fake records what it is asked to move.
type fake struct {
	result  transfer.Result
	err     error
	url     string
	object  transfer.Object
	aborted bool
	closed  bool
}

func (f *fake) Run(_ context.Context, url string, o transfer.Object) (transfer.Result, error) {
	f.url, f.object = url, o
	return f.result, f.err
}

func (f *fake) Abort(_ context.Context, o transfer.Object) error {
	f.object, f.aborted = o, true
	return f.err
}

func (f *fake) Close() { f.closed = true }

func run(t *testing.T, f *fake, in archive.TransferInput) (archive.TransferOutput, error) {
	t.Helper()
	h := handler{
		mover:  func(*slog.Logger, string) mover { return f },
		bucket: "bucket", owner: "000000000000", kmsKeyID: "key-1",
	}
	out, err := h.transfer(t.Context(), slog.New(slog.DiscardHandler), in)
	if f.url+f.object.Key != "" && !f.closed {
		t.Error("the connections were not closed")
	}
	return out, err
}

func input() archive.TransferInput {
	return archive.TransferInput{
		Job:         archive.Job{ID: "job_1"},
		ArchiveURL:  "https://signed",
		Destination: archive.Destination{Bucket: "bucket", Key: "a/héros \"1\".zip", Overwrite: true, Exclusive: true, Tags: map[string]string{"k": "v"}},
		Execution:   archive.Execution{ID: "arn:1", Name: "héros 1"},
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	f := &fake{result: transfer.Result{Finished: true, Size: 9, BytesDone: 9, ETag: `"e"`, ChecksumCRC64NVME: "c", Entries: 2}}
	got, err := run(t, f, input())
	if err != nil {
		t.Fatal(err)
	}
	want := archive.Output{Bucket: "bucket", Key: "a/héros \"1\".zip", Size: 9, ETag: `"e"`, ChecksumCRC64NVME: "c", JobID: "job_1", Entries: 2}
	if !got.Finished || got.Output == nil || !reflect.DeepEqual(*got.Output, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	object := transfer.Object{
		Bucket: "bucket", Key: "a/héros \"1\".zip", Owner: "arn:1", Overwrite: true, Exclusive: true,
		Metadata: map[string]string{"scenario-job-id": "job_1", "scenario-execution": "h%C3%A9ros%201"},
		Tags:     map[string]string{"k": "v"}, KMSKeyID: "key-1", BucketOwner: "000000000000", Least: 1,
	}
	if !reflect.DeepEqual(f.object, object) || f.url != "https://signed" {
		t.Errorf("moved %s to %+v, want %+v", f.url, f.object, object)
	}
}

func TestWhatIsMissingIsReported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request         string
		least, expected int64
		want            *archive.Missing
		requested       int64
	}{
		"fewer":        {`{"query":{"assetIds":["a","b","b","c"]}}`, 1, 3, &archive.Missing{Count: 1, AssetIDs: []string{"b"}}, 3},
		"fewer, named": {`{"query":{"assetIds":["a","b","c"]},"options":{"fileNameTemplate":"<seed>"}}`, 1, 3, &archive.Missing{Count: 1}, 3},
		"strict":       {`{"query":{"assetIds":["a","c"]},"strict":true}`, 2, 2, nil, 2},
		"a model":      {`{"query":{"assetIds":["a","b","c"],"modelIds":["m"]},"strict":true}`, 1, 0, nil, 0},
	} {
		f := &fake{result: transfer.Result{Finished: true, Entries: 2, Names: []string{"a.png", "c.png"}}}
		in := input()
		in.Request = json.RawMessage(c.request)
		var logs bytes.Buffer
		h := handler{mover: func(*slog.Logger, string) mover { return f }, bucket: "bucket"}
		got, err := h.transfer(t.Context(), slog.New(slog.NewJSONHandler(&logs, nil)), in)
		if err != nil || got.Output == nil {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if f.object.Least != c.least || f.object.Expected != c.expected {
			t.Errorf("%s: asked for %d to %d files", name, f.object.Least, f.object.Expected)
		}
		if got.Output.Requested != c.requested || !reflect.DeepEqual(got.Output.Missing, c.want) {
			t.Errorf("%s: got %+v", name, got.Output)
		}
		for _, says := range []string{`"msg":"assets missing"`, `"AssetsMissing":1`} {
			if strings.Contains(logs.String(), says) != (c.want != nil) {
				t.Errorf("%s: the log has, or lacks, %s: %s", name, says, logs.String())
			}
		}
	}
	in := input()
	in.Request = json.RawMessage(`{"query":{}}`)
	if _, err := run(t, &fake{}, in); archive.NameOf(err) != archive.RequestInvalid {
		t.Errorf("a request that asks for nothing: %v", err)
	}
}

func TestTransferUnfinished(t *testing.T) {
	t.Parallel()
	got, err := run(t, &fake{result: transfer.Result{Size: 9, BytesDone: 5}}, input())
	if want := (archive.TransferOutput{BytesDone: 5, BytesTotal: 9}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestAbort(t *testing.T) {
	t.Parallel()
	in := input()
	in.Abort = true
	f := &fake{}
	if got, err := run(t, f, in); err != nil || got != (archive.TransferOutput{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if !f.aborted || f.url != "" || f.object.Owner != "arn:1" {
		t.Errorf("not aborted, or moved: %+v", f)
	}
}

func TestTransferRefusesWhatItIsNotFor(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*archive.TransferInput){
		"another bucket": func(in *archive.TransferInput) { in.Destination.Bucket = "theirs" },
		"no key":         func(in *archive.TransferInput) { in.Destination.Key = "" },
		"no execution":   func(in *archive.TransferInput) { in.Execution.ID = "" },
	} {
		in, f := input(), &fake{}
		change(&in)
		_, err := run(t, f, in)
		if archive.NameOf(err) != archive.RequestInvalid || f.url != "" {
			t.Errorf("%s: got %T: %v (moved: %v)", name, err, err, f.url != "")
		}
	}
}

func TestNamedErrors(t *testing.T) {
	t.Parallel()
	for kind, want := range map[transfer.Kind]archive.Name{
		transfer.KindURLExpired: "ArchiveURLExpired", transfer.KindChanged: "ArchiveChanged",
		transfer.KindCorrupt: "ArchiveCorrupt", transfer.KindNoArchive: "ArchiveCorrupt", transfer.KindTooLarge: "ArchiveTooLarge",
		transfer.KindIncomplete: "ArchiveIncomplete",
		transfer.KindForbidden:  "SourceForbidden", transfer.KindConflict: "DestinationConflict",
		transfer.KindSourceUnavailable: "SourceUnavailable", transfer.KindStorageUnavailable: "DestinationUnavailable",
		transfer.KindStorageRefused: "DestinationRefused", transfer.KindInvalid: "RequestInvalid",
		transfer.KindCanceled: "DestinationUnavailable",
	} {
		_, err := run(t, &fake{err: &transfer.Error{Op: "get", Kind: kind, Reason: "the reason"}}, input())
		if archive.NameOf(err) != want || !strings.Contains(err.Error(), "the reason") {
			t.Errorf("%s: got %T: %v, want %s", kind, err, err, want)
		}
	}
}

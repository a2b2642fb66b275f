package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/rest"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// backend is the API and what is behind it.
type backend struct {
	api   http.Handler
	fake  *sfntest.Server
	files *files
}

func newBackend(ctx context.Context, log *slog.Logger) (*backend, error) {
	fake, err := sfntest.New()
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = fake.Close() })
	b := &backend{fake: fake, files: newFiles()}
	options := fake.Client().Options()
	options.Retryer = retry.NewStandard() // as the function has it
	client := sfn.New(options)
	machine, err := executions.New(client, sfntest.MachineARN)
	if err != nil {
		return nil, err
	}
	batches, err := executions.New(client, sfntest.BatchMachineARN)
	if err != nil {
		return nil, err
	}
	storage := s3.New(s3.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
	b.api = rest.New(rest.Options{
		Starter: executions.Starter{Archives: machine, Batches: batches, Lists: noLists{}},
		Cleaner: executions.Cleaner{
			CancelJob:   func(context.Context, scenario.JobRef) error { return errors.New("this type of job cannot be canceled") },
			AbortUpload: func(context.Context, archive.Destination, string) error { return nil },
			Objects:     noObjects{},
		},
		Estimate: func(context.Context, scenario.ArchiveRequest) (scenario.Estimate, error) {
			return scenario.Estimate{CreativeUnitsCost: new(2.5), Raw: json.RawMessage(`{"creativeUnitsCost":2.5}`)}, nil
		},
		Bucket:       bucket.Bucket{S3: b.files, Signer: s3.NewPresignClient(storage), Name: "bucket"},
		LinkLifetime: time.Minute,
		Logger:       log,
	})
	return b, errors.Join(b.seed(ctx, machine), b.seedBatches(ctx, batches))
}

// noLists keeps nothing: the lists are never read.
type noLists struct{}

func (noLists) PutList(context.Context, string, []string) (batch.List, error) {
	return batch.List{Key: "batches/lists/1/assets.txt", Format: batch.FormatText}, nil
}

func (noLists) Claim(_ context.Context, _, purpose string) (string, error) { return purpose, nil }

// noObjects is an empty bucket.
type noObjects struct{}

func (noObjects) Head(context.Context, string) (*bucket.Info, error) { return nil, nil }

func (noObjects) List(context.Context, string, string) iter.Seq2[bucket.Entry, error] {
	return func(func(bucket.Entry, error) bool) {}
}

func (noObjects) Delete(context.Context, string, string) error { return nil }

// The archives that openapi.yaml names in its examples, and one in every other status.
const (
	runningID   = "20260102T150405Z-q3v7k2m9xw4e"
	succeededID = "heroes-2026-01-02-9kqv3m2x7hdw5c8tz4bnr6pfay"
	failedID    = "failed"
	timedOutID  = "timed-out"
	stoppedID   = "stopped"
	batchID     = "batch-20260102T150405Z-q3v7k2m9xw4e"
	doneBatchID = "batch-done"
)

func (b *backend) seed(ctx context.Context, machine *executions.Machine) error {
	for _, id := range []string{timedOutID, failedID, stoppedID, runningID, succeededID} {
		if _, err := machine.Start(ctx, id, `{"query":{"assetIds":["asset_1"]},"options":{},"destination":{}}`); err != nil {
			return err
		}
		b.fake.Transferring(fatal{}, id)
		if id == timedOutID { // while it is alone
			b.fake.Finish(fatal{}, id, "TIMED_OUT")
		}
	}
	b.fake.Finish(fatal{}, succeededID, "SUCCEEDED", `{"bucket":"bucket","key":"characters/heroes.zip","size":9,"etag":"\"e\"",`+
		`"checksumCRC64NVME":"AAAAAAAAAAA=","jobId":"job_1","entries":3,"requested":4,"missing":{"count":1,"assetIds":["asset_4"]},`+
		`"unpacked":{"prefix":"characters/heroes/","objects":3,"bytes":27,"contents":"characters/heroes/contents.jsonl"}}`)
	b.fake.Finish(fatal{}, failedID, "FAILED", "JobFailed", "Scenario's job job_1 failed")
	b.fake.Finish(fatal{}, stoppedID, "ABORTED", "Stopped", "by hand")
	return nil
}

func (b *backend) seedBatches(ctx context.Context, machine *executions.Machine) error {
	for _, id := range []string{batchID, doneBatchID} {
		if _, err := machine.Start(ctx, id, `{"list":{"key":"batches/lists/1/assets.txt"}}`); err != nil {
			return err
		}
		first, second := id+"-1", id+"-2"
		b.fake.Plan(fatal{}, id, first, second)
		b.fake.Finish(fatal{}, first, "SUCCEEDED", `{}`)
		if id == doneBatchID {
			b.fake.Finish(fatal{}, second, "SUCCEEDED", `{}`)
		}
	}
	b.fake.Finish(fatal{}, doneBatchID, "SUCCEEDED", `{"bucket":"bucket","manifest":"a/manifest.json","complete":true,`+
		`"totals":{"archives":3,"failed":0,"assets":2500,"duplicates":3,"missing":0,"size":9,"entries":2500}}`)
	return nil
}

// fatal ends this program where a test would fail.
type fatal struct{}

func (fatal) Helper() {}

func (fatal) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

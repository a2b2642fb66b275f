package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// realFixture has one state machine on a real engine, and a real S3 server.
func realFixture(t *testing.T, arn string) (*fixture, *executions.Machine, *s3test.Server) {
	t.Helper()
	failing := sfntest.Lambda(func(context.Context, string, []byte) (any, error) {
		return nil, errors.New("its functions are not what this is about")
	})
	machine, err := executions.New(sfntest.Start(t, sfntest.WithLambda(failing)).Client(), arn)
	if err != nil {
		t.Fatal(err)
	}
	storage := s3test.Start(t)
	f := newFixture(t)
	f.inbox.bucket = bucket.Bucket{S3: storage.Client, Name: storage.Bucket}
	return f, machine, storage
}

// fiftyDeliveries puts an object and delivers it fifty times at once: there is one execution, and the note names it.
func fiftyDeliveries(t *testing.T, f *fixture, machine *executions.Machine, storage *s3test.Server, key, content, note string) object {
	t.Helper()
	o := object{bucket: storage.Bucket, key: key, etag: storage.Put(t, key, content), sequencer: "S", time: "T"}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := f.handle(t.Context(), eventBridge(o)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	page, err := machine.List(t.Context(), "", 100, "")
	if err != nil || len(page.Executions) != 1 || page.Executions[0].Name != executionName(o) {
		t.Fatalf("got %+v, %v", page, err)
	}
	if text, exists := storage.Object(t, note); !exists || !strings.Contains(string(text), page.Executions[0].ARN) {
		t.Errorf("note %s", text)
	}
	return o
}

// The same with the real state machine and a real S3 server: fifty deliveries, one execution, and the note.
func TestFiftyDeliveriesToTheStateMachine(t *testing.T) {
	t.Parallel()
	f, machine, storage := realFixture(t, sfntest.MachineARN)
	f.starter.Archives = machine
	o := fiftyDeliveries(t, f, machine, storage, "requests/héros & villains+1.csv", "assetId\nasset_1\n", "requests/héros & villains+1.status.json")
	other := o
	other.etag = "0123456789abcdef0123456789abcdef"
	other.sequencer = "S2"
	if err := f.handle(t.Context(), eventBridge(other)); err != nil {
		t.Errorf("replaced: %v", err)
	}
	other.key = "requests/gone.csv"
	if err := f.handle(t.Context(), eventBridge(other)); err != nil {
		t.Errorf("gone: %v", err)
	}
	if page, err := machine.List(t.Context(), "", 100, ""); err != nil || len(page.Executions) != 1 {
		t.Errorf("got %+v, %v", page, err)
	}
}

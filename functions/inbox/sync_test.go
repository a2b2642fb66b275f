package main

import (
	"errors"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// A sync that is put into the bucket runs once, however often its event comes; what syncs write themselves starts nothing.
func TestSyncIsStarted(t *testing.T) {
	t.Parallel()
	f, machine, storage := realFixture(t, sfntest.MachineARN)
	f.syncs = machine
	for _, key := range []string{"syncs/heroes.json", "syncs/heroes.json", "syncs/heroes.status.json", "syncs/heroes.error.json", "syncs/heroes/failed.json"} {
		if err := f.handle(t.Context(), eventBridge(object{bucket: storage.Bucket, key: key, etag: "e", sequencer: "S", time: "T"})); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	page, err := machine.List(t.Context(), "", 100, "")
	if err != nil || len(page.Executions) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	e, err := machine.Describe(t.Context(), page.Executions[0].Name)
	if err != nil || e.Input != `{"name":"heroes","full":false}` {
		t.Errorf("started with %s, %v", e.Input, err)
	}
	f.syncs = nil
	if err := f.handle(t.Context(), eventBridge(object{bucket: storage.Bucket, key: "syncs/other.json", sequencer: "S"})); err != nil {
		t.Errorf("without syncs: %v", err)
	}
}

// A sync that cannot be started is an event for another delivery.
func TestSyncThatDoesNotStart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.syncs = f.starter.Archives
	for _, fault := range []sfntest.Fault{{Status: 503, Code: "ServiceUnavailable"}, {Status: 400, Code: "AccessDeniedException"}} {
		f.sfn.Break(func(string) *sfntest.Fault { return &fault })
		err := f.handle(t.Context(), eventBridge(object{bucket: "bucket", key: "syncs/heroes.json", sequencer: "S"}))
		var failed *executions.Error
		if !errors.As(err, new(Unfinished)) || fault.Status == 503 && !errors.As(err, &failed) {
			t.Errorf("%+v: got %v", fault, err)
		}
	}
	f.sfn.Break(nil)
	if err := f.handle(t.Context(), eventBridge(object{bucket: "bucket", key: "syncs/heroes.json", sequencer: "S"})); err != nil || f.sfn.Started() != 1 {
		t.Errorf("the next delivery: %v", err)
	}
}

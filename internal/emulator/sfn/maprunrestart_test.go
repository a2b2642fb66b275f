package sfn

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// TestRestartOfMapRun ends a service in the middle of a Map Run, again and again: each child is run to its end once.
func TestRestartOfMapRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 31 // so that three are left for the last round
	objects := newMemory(map[string]string{"b/list.json": items(n)})
	var mu sync.Mutex
	finished := map[string]int{}
	definition := mapDefinition(`"MaxConcurrency":3,"ToleratedFailurePercentage":4,`)
	arn := ""
	for round := 0; ; round++ {
		answered := make(chan struct{}, n)
		left := atomic.Int64{}
		left.Store(7)
		s, err := New(mapConfig(dir, definition, objects, invokerFunc(func(ctx context.Context, _ string, payload []byte) ([]byte, string, error) {
			if left.Add(-1) < 0 { // the process is killed while these are under way
				answered <- struct{}{}
				<-ctx.Done()
				return nil, "", ctx.Err()
			}
			mu.Lock()
			finished[string(payload)]++
			mu.Unlock()
			if string(payload) == "5" {
				return []byte(`{"errorType":"Broken"}`), "Unhandled", nil
			}
			return payload, "", nil
		})))
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			arn = start(t, s, "m", "e", `{}`).ARN
		}
		if (round+1)*7 < n {
			for range 3 {
				<-answered
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		e := wait(t, s, arn)
		runs, _ := s.MapRuns(arn)
		if e.Status != asl.StatusSucceeded || len(runs) != 1 || runs[0].Executions != (Counts{Succeeded: n - 1, Failed: 1, Total: n, Written: n}) {
			t.Errorf("got %+v, %+v", e, runs)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		break
	}
	if len(finished) != n {
		t.Errorf("%d of %d ran", len(finished), n)
	}
	if counts := slices.Collect(maps.Values(finished)); slices.Max(counts) != 1 {
		t.Errorf("some ran more than once: %v", finished)
	}
}

// TestRestartWithAnotherList changes the list while nothing runs.
func TestRestartWithAnotherList(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{"replaced": items(8), "the same length": strings.Replace(items(9), "0", "x", 1), "gone": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			objects := newMemory(map[string]string{"b/list.json": items(9)})
			arrived := make(chan struct{}, 9)
			s, err := New(mapConfig(dir, mapDefinition(`"MaxConcurrency":1,`), objects, invokerFunc(func(ctx context.Context, _ string, _ []byte) ([]byte, string, error) {
				arrived <- struct{}{}
				<-ctx.Done()
				return nil, "", ctx.Err()
			})))
			if err != nil {
				t.Fatal(err)
			}
			arn := start(t, s, "m", "e", `{}`).ARN
			<-arrived
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			delete(objects.objects, "b/list.json")
			if list != "" {
				objects.objects["b/list.json"] = list
			}
			s = newService(t, mapConfig(dir, mapDefinition(`"MaxConcurrency":1,`), objects, invokerFunc(echoPayload)))
			if e := wait(t, s, arn); e.Error != "States.ItemReaderFailed" {
				t.Errorf("got %+v", e)
			}
		})
	}
}

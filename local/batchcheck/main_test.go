package main

import (
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// TestBatchCheck is the check in a size that takes seconds once everything is built.
func TestBatchCheck(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the whole system")
	}
	err := run(t.Context(), harness.Options{Repo: "../..", Dir: t.TempDir()}, options{
		assets: 3500, concurrency: 4, ceiling: 3, failing: 25, kills: 2, job: 200 * time.Millisecond,
	})
	if err != nil {
		t.Error(err)
	}
}

func TestListFails(t *testing.T) {
	t.Parallel()
	o := options{assets: 100_000, failing: 5}
	n := 0
	for i, id := range o.list(true) {
		if strings.HasPrefix(id, "asset_fail") {
			n++
			if i%size != 0 {
				t.Errorf("%s would let more than one archive fail", id)
			}
		}
	}
	if n != 5 {
		t.Errorf("%d archives would fail, not 5", n)
	}
}

func TestNoteRefusesTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	if err := note(seen, []string{"a", "b"}, "1"); err != nil {
		t.Error(err)
	}
	if err := note(seen, []string{"b"}, "2"); err == nil || !strings.Contains(err.Error(), "b is in 1 and in 2") {
		t.Errorf("got %v", err)
	}
}

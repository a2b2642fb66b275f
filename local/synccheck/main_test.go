package main

import (
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// TestSyncCheck is the check in a size that takes seconds once everything is built.
func TestSyncCheck(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the whole system")
	}
	err := run(t.Context(), harness.Options{Repo: "../..", Dir: t.TempDir()}, options{assets: 1200, kills: 2, job: 100 * time.Millisecond})
	if err != nil {
		t.Error(err)
	}
}

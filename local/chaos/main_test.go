package main

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/local/harness"
)

// TestChaos runs CHAOS_SCHEDULES schedules; `go test` alone runs one small one.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the whole system")
	}
	o := options{seed: 1, schedules: 1, archives: 10, actions: 4, limit: 15 * time.Minute}
	if n, err := strconv.Atoi(os.Getenv("CHAOS_SCHEDULES")); err == nil {
		o.schedules, o.archives, o.actions = n, 30, 6
	}
	if err := run(t.Context(), harness.Options{Repo: "../..", Dir: t.TempDir()}, o); err != nil {
		t.Error(err)
	}
}

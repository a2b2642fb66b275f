package main

import (
	"testing"
	"time"
)

// TestSyncCheck is the check in a size that takes seconds once everything is built.
func TestSyncCheck(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the whole system")
	}
	err := run(t.Context(), options{repo: "../..", dir: t.TempDir(), assets: 2000, kills: 2, job: 100 * time.Millisecond})
	if err != nil {
		t.Error(err)
	}
}

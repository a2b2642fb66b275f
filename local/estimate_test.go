package main

import (
	"strings"
	"testing"
)

func TestDryRun(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	if status := l.run(t.Context(), "-dry-run"); status != 0 || !strings.Contains(l.stdout.String(), `"creativeUnitsCost": 0.24`) ||
		!strings.Contains(l.stderr.String(), "0.24 creative units") {
		t.Errorf("status %d, %s\n%s", status, l.stdout.String(), l.stderr.String())
	}
}

package system

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/local/display"
)

// TestProblemsReachTheScreen: what Step Functions could not keep is shown, and its everyday lines stay in the file.
func TestProblemsReachTheScreen(t *testing.T) {
	t.Parallel()
	logs, err := newLogFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	s := &System{logs: logs}
	s.options.Screen = display.NewScreen(&shown, func(string) string { return "" })
	log := s.problems("stepfunctions")
	log.Info("resuming an execution")
	log.Error("an execution failed because its history could not be written", "error", errors.New("no space left on device"))
	s.options.Screen.Close()
	logs.close()
	if got := shown.String(); !strings.Contains(got, "could not be written") || !strings.Contains(got, "no space left") || strings.Contains(got, "resuming") {
		t.Errorf("shown: %s", got)
	}
	text, err := os.ReadFile(filepath.Join(logs.dir, "stepfunctions.log"))
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("the file has %s, %v", text, err)
	}
}

package sfn

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// TestNoSpaceLeft runs an execution in a process whose files cannot grow beyond a limit, in the middle of its history: it
// fails with a name, its file keeps whole lines, and it can be redriven when there is space again.
func TestNoSpaceLeft(t *testing.T) {
	t.Parallel()
	const variable = "SFN_TEST_NO_SPACE"
	if dir := os.Getenv(variable); dir != "" {
		runWithoutSpace(t, dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoSpaceLeft$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "l", "e.jsonl"))
	if err != nil || !strings.HasSuffix(string(text), "}\n") {
		t.Errorf("the file ends in %q, %v", text[max(0, len(text)-50):], err)
	}
	s := newService(t, testConfig(dir, invokerFunc(echoPayload)))
	arn := executionARN("l", "e")
	if _, err := s.Redrive(arn, ""); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, s, arn); e.Status != asl.StatusSucceeded {
		t.Errorf("with space again: %s %s %s", e.Status, e.Error, e.Cause)
	}
}

func runWithoutSpace(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: 6000, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	// What a coverage run writes at the end of the process is no part of the test.
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before) }()
	s, err := New(testConfig(dir, invokerFunc(echoPayload)))
	if err != nil {
		t.Fatal(err)
	}
	e := wait(t, s, start(t, s, "l", "e", `"`+strings.Repeat("x", 1500)+`"`).ARN)
	if e.Status != asl.StatusFailed || e.Error != StoreFailed || e.Cause != "The execution's history could not be written: file too large" {
		t.Errorf("got %s %q %q", e.Status, e.Error, e.Cause)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

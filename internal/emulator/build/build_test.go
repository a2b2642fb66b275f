package build_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
)

// module writes a module with programs ./cmd/one and ./cmd/two.
func module(t *testing.T) build.Options {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/go.mod", "module example.org/m\n\ngo 1.21\n")
	// The comment keeps the build cache from knowing it already.
	write(t, dir+"/cmd/one/main.go", "package main\n\n// "+dir+"\n\nfunc main() { println(1) }\n")
	write(t, dir+"/cmd/two/main.go", "package main\n\nfunc main() { println(2) }\n")
	return build.Options{Repo: dir, BinDir: filepath.Join(dir, "bin"), Packages: []string{"./cmd/one", "./cmd/two"}}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func says(t *testing.T, binary string) string {
	t.Helper()
	out, err := exec.Command(binary).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestBuildsWhatIsStaleAndNothingElse(t *testing.T) {
	t.Parallel()
	o := module(t)
	var lines []string
	o.Progress = func(line string) { lines = append(lines, line) }
	if !o.Fresh() {
		t.Error("programs that are not there are not fresh")
	}
	if err := build.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if o.Fresh() {
		t.Error("still fresh after the build")
	}
	if one, two := says(t, o.Binary("./cmd/one")), says(t, o.Binary("./cmd/two")); one != "1" || two != "2" {
		t.Errorf("the programs say %s and %s", one, two)
	}
	if !slices.Contains(lines, "example.org/m/cmd/one") {
		t.Errorf("progress: %q", lines)
	}

	before := stat(t, o.Binary("./cmd/two"))
	write(t, o.Repo+"/cmd/one/main.go", "package main\n\nfunc main() { println(11) }\n")
	if err := build.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if one := says(t, o.Binary("./cmd/one")); one != "11" {
		t.Errorf("a stale program: it says %s", one)
	}
	if !os.SameFile(before, stat(t, o.Binary("./cmd/two"))) { // the toolchain touches it, and writes no other
		t.Error("a program whose source did not change was linked again")
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestCompileErrorsAreShown(t *testing.T) {
	t.Parallel()
	o := module(t)
	write(t, o.Repo+"/cmd/two/main.go", "package main\n\nfunc main() { undefinedName() }\n")
	err := build.Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "the build failed:") || !strings.Contains(err.Error(), "cmd/two/main.go:3:15: undefined: undefinedName") {
		t.Errorf("got %v", err)
	}
}

func TestTheShellsBuildSettingsDoNotMatter(t *testing.T) {
	for name, value := range map[string]string{"GOOS": "plan9", "GOARCH": "386", "GOFLAGS": "-tags=other -mod=mod", "CGO_ENABLED": "1"} {
		t.Setenv(name, value)
	}
	o := module(t)
	if err := build.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if one := says(t, o.Binary("./cmd/one")); one != "1" {
		t.Errorf("it says %s", one)
	}
}

// fakeGo puts a toolchain into PATH that does what the script says.
func fakeGo(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/go", "#!/bin/sh\n"+script+"\n")
	t.Setenv("PATH", dir+":/bin:/usr/bin")
}

func TestNoToolchain(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := build.Run(t.Context(), module(t))
	if err == nil || !strings.Contains(err.Error(), "`go` is not in PATH. Install it from https://go.dev/dl") {
		t.Errorf("got %v", err)
	}
}

func TestFailuresOfTheToolchainAreExplained(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"too old", "echo 'go: go.mod requires go >= 1.26 (running go 1.20; GOTOOLCHAIN=local)' >&2; exit 1", "the Go toolchain is too old"},
		{"no network", "echo 'go: example.org/x@v1: Get \"https://proxy\": dial tcp: lookup proxy: no such host' >&2; exit 1", "the first build needs the network"},
		{"silent", "exit 3", "exit status 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakeGo(t, test.script)
			if err := build.Run(t.Context(), module(t)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestInterruptedBuildEndsItsChildrenToo(t *testing.T) {
	dir := t.TempDir()
	fakeGo(t, "sleep 1000 & echo $! > "+dir+"/pid.new; mv "+dir+"/pid.new "+dir+"/pid; wait")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- build.Run(ctx, module(t)) }()
	var pid string
	for pid == "" {
		text, _ := os.ReadFile(dir + "/pid")
		pid = strings.TrimSpace(string(text))
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for { // a test that waits for ever is ended by its own time limit
		state, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

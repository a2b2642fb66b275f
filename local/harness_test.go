package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
)

// The test binary is also `local` itself, when a test needs a process of its own to send signals to. The programs are
// built once for all tests.
const (
	asLocal = "LOCAL_TEST_AS_LOCAL"
	binDir  = "LOCAL_TEST_BIN"
)

func TestMain(m *testing.M) {
	if os.Getenv(asLocal) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := localMain(ctx)
		stop()
		os.Exit(code)
	}
	dir, err := os.MkdirTemp("", "local-test-bin-")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv(binDir, dir)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func localMain(ctx context.Context) int {
	bin := os.Getenv(binDir)
	if os.Args[1] == "run" {
		return (&run{settings: settings{bin: bin}}).main(ctx, os.Args[2:], os.Stdout, os.Stderr)
	}
	u := newUp()
	u.bin = bin
	return u.main(ctx, os.Args[2:], os.Stderr)
}

const standIn = "./scenario/scenariotest/cmd/scenariotest"

// programs are built before any test: many builds at once would replace what others are about to start.
var programs = sync.OnceValues(func() (build.Options, error) {
	o := build.Options{Repo: "..", BinDir: os.Getenv(binDir), Packages: []string{
		"./functions/...", standIn,
	}}
	return o, build.Run(context.Background(), o)
})

// buffer is what a command writes to while a test reads along.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// await returns when the condition holds; a test that waits for ever is ended by its own time limit.
func await(condition func() bool) {
	for !condition() {
		time.Sleep(10 * time.Millisecond)
	}
}

// local is one command under test with a directory of its own.
type local struct {
	dir            string
	env            map[string]string
	stdout, stderr buffer
}

func newLocal(t *testing.T) *local {
	t.Helper()
	if testing.Short() {
		t.Skip("needs minutes the first time: it builds the whole system")
	}
	if _, err := programs(); err != nil {
		t.Fatal(err)
	}
	return &local{dir: filepath.Join(t.TempDir(), "local"), env: map[string]string{}}
}

func (l *local) settings() settings {
	return settings{bin: os.Getenv(binDir), getenv: func(name string) string { return l.env[name] }}
}

// run is `local run` in this process.
func (l *local) run(ctx context.Context, args ...string) int {
	r := &run{settings: l.settings()}
	return r.main(ctx, append([]string{"-dir", l.dir}, args...), &l.stdout, &l.stderr)
}

// up is `local up` in this process, on free ports.
func (l *local) up(ctx context.Context, args ...string) int {
	u := newUp()
	u.settings = l.settings()
	free := []string{"-dir", l.dir, "-s3-addr", "127.0.0.1:0", "-stepfunctions-addr", "0", "-scenario-addr", "localhost:0", "-api-addr", "0"}
	return u.main(ctx, append(free, args...), &l.stderr)
}

// request writes a request file and returns its path.
func (l *local) request(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "request.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// stored lists the files in S3's directory, objects and parts of unfinished uploads alike.
func (l *local) stored(t *testing.T) []string {
	t.Helper()
	var files []string
	root := filepath.Join(l.dir, "s3", "archive")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, root+"/"))
		}
		if os.IsNotExist(err) {
			return nil // the server tidies up while this looks
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// uploading reports whether a part of a transfer has arrived.
func (l *local) uploading() bool {
	parts, _ := filepath.Glob(filepath.Join(l.dir, "s3/archive/.sgwtmp/multipart/*/*/1"))
	return len(parts) > 0
}

// expectNothingLeft fails the test when the command has left a process, a temporary file or the environment file.
func (l *local) expectNothingLeft(t *testing.T) {
	t.Helper()
	for _, name := range []string{"tmp", "env", "run"} {
		if _, err := os.Lstat(filepath.Join(l.dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	if left := l.processes(t); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// processes are those that mention the test's directory in their arguments or environment, by process ID.
func (l *local) processes(t *testing.T) map[int]string {
	t.Helper()
	found := map[int]string{}
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		args, _ := os.ReadFile("/proc/" + d.Name() + "/cmdline")
		environment, _ := os.ReadFile("/proc/" + d.Name() + "/environ")
		if bytes.Contains(args, []byte(l.dir)) || bytes.Contains(environment, []byte(l.dir)) {
			command, _, _ := strings.Cut(string(args), "\x00")
			found[pid] = filepath.Base(command)
		}
	}
	return found
}

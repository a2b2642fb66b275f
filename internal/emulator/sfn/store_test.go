package sfn

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// TestRestart ends a service in the middle of its work and starts another on the same directory.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inSecond := make(chan struct{})
	var firsts, seconds atomic.Int64
	block := invokerFunc(func(ctx context.Context, function string, payload []byte) ([]byte, string, error) {
		if function == "first" {
			firsts.Add(1)
			return payload, "", nil
		}
		close(inSecond)
		<-ctx.Done()
		return nil, "", ctx.Err()
	})
	s, err := New(testConfig(dir, block))
	if err != nil {
		t.Fatal(err)
	}
	done := wait(t, s, start(t, s, "p", "done", `{"a":1}`).ARN)
	running := start(t, s, "l", "running", `{"b":2}`)
	<-inSecond
	closeForGood(t, s, running.ARN)
	// What a crash leaves: half of a line.
	f, err := os.OpenFile(filepath.Join(dir, "l", "running.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"event":{"id":9`)
	f.Close()

	s = newService(t, testConfig(dir, invokerFunc(func(_ context.Context, function string, payload []byte) ([]byte, string, error) {
		if function == "first" {
			firsts.Add(1)
		}
		seconds.Add(1)
		return payload, "", nil
	})))
	e := wait(t, s, running.ARN)
	if e.Status != asl.StatusSucceeded || string(e.Output) != `{"b":2}` || !e.StartDate.Equal(running.StartDate.Time) {
		t.Errorf("got %+v", e)
	}
	if firsts.Load() != 1 || seconds.Load() != 1 {
		t.Errorf("first ran %d times, second %d times after the restart", firsts.Load(), seconds.Load())
	}
	if again, err := s.Describe(done.ARN); err != nil || fmt.Sprint(again) != fmt.Sprint(done) {
		t.Errorf("got %+v, %v, want %+v", again, err, done)
	}
	events, types := numberedHistory(t, s, running.ARN)
	if got := strings.Join(types[6:], " "); got != "TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskSucceeded TaskStateExited ExecutionSucceeded" {
		t.Errorf("got %s", got)
	}
	if events[9].Details.Error != "Local.Interrupted" {
		t.Errorf("got %+v", events[9])
	}
	_, err = s.Start(s.MachineARN("p"), "done", []byte(`{"a":1}`))
	wantCode(t, err, "ExecutionAlreadyExists")
}

// closeForGood ends a service, in which an execution is running.
func closeForGood(t *testing.T, s *Service, running string) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	if _, err := s.Start(s.MachineARN("p"), "late", []byte(`{}`)); err == nil {
		t.Error("started on a closed service")
	}
	if _, err := s.Wait(t.Context(), running); err == nil {
		t.Error("waited for what no longer runs")
	}
}

// numberedHistory is an execution's events, whose IDs count from 1, and their types.
func numberedHistory(t *testing.T, s *Service, arn string) (events []asl.Event, types []string) {
	t.Helper()
	events, _, err := s.History(arn, false, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if e.ID != int64(i+1) {
			t.Errorf("event %d has ID %d", i+1, e.ID)
		}
		types = append(types, string(e.Type))
	}
	return events, types
}

// TestRestartFromEachLine cuts the file of a finished execution after each of its lines: the rest is done again.
func TestRestartFromEachLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := New(testConfig(dir, invokerFunc(echoPayload)))
	if err != nil {
		t.Fatal(err)
	}
	arn := wait(t, s, start(t, s, "l", "n", `{"x":"é😀"}`).ARN).ARN
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "l", "n.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for n := 1; n < len(lines); n++ {
		if err := os.WriteFile(path, []byte(strings.Join(lines[:n], "")), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := New(testConfig(dir, invokerFunc(echoPayload)))
		if err != nil {
			t.Fatal(err)
		}
		if e := wait(t, s, arn); e.Status != asl.StatusSucceeded || string(e.Output) != `{"x":"é😀"}` {
			t.Errorf("after %d lines: %+v", n, e)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "p"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "torn": `{"execution":{"na`, "other": "{}\n", "noise": "hello\n",
		"middle": `{"execution":{"name":"middle","start":"2026-01-02T03:04:05Z","input":"{}"}}` + "\nnoise\n{}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "p", name+".jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newService(t, testConfig(dir, invokerFunc(echoPayload)))
	all, _, err := s.List(s.MachineARN("p"), "", 0, "")
	if err != nil || len(all) != 1 || all[0].Name != "middle" || all[0].Status != asl.StatusFailed {
		t.Errorf("got %+v, %v", all, err)
	}
	if _, err := New(testConfig(dir, invokerFunc(echoPayload))); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second service on the directory: %v", err)
	}
	if _, err := s.Start(s.MachineARN("p"), "noise", []byte(`{}`)); err == nil {
		t.Error("started over a file that is no execution's")
	}
	for _, name := range []string{"empty", "torn"} { // what a crash leaves is not in the way
		if e := wait(t, s, start(t, s, "p", name, `{}`).ARN); e.Status != asl.StatusSucceeded {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"a", "A.b-c_1", ".", "..", ".hidden", "é", strings.Repeat("日", 80), "a b", "%61"} {
		file := fileName(name)
		if seen[file] != "" || len(file) > 100 || strings.ContainsAny(file, "/\\ ") || file[0] == '.' {
			t.Errorf("%q is kept as %q", name, file)
		}
		seen[file] = name
	}
}

// TestMemory keeps many finished executions with large inputs, and little of them in memory.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	s := newService(t, testConfig(dir, invokerFunc(echoPayload)))
	input := `"` + strings.Repeat("x", 50_000) + `"`
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const n = 60
	for i := range n {
		wait(t, s, start(t, s, "p", fmt.Sprint(i), input).ARN)
	}
	if grown := int64(heap()) - int64(before); grown > n*10_000 {
		t.Errorf("%d executions hold %d bytes", n, grown)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(c *Config)
		want   string
	}{
		"no directory":   {func(c *Config) { c.Dir = "" }, "no directory"},
		"bad name":       {func(c *Config) { c.Machines[0].Name = "a b" }, `"a b" is not a valid name`},
		"a name twice":   {func(c *Config) { c.Machines[1].Name = "p" }, "two of this name"},
		"bad definition": {func(c *Config) { c.Machines[0].Definition = []byte(`{}`) }, "state machine p: "},
		"nobody to call": {func(c *Config) { c.Invoker = nil }, `"arn:aws:states:::lambda:invoke" is not supported here`},
		"a file in the way": {func(c *Config) {
			c.Dir = filepath.Join(c.Dir, "file")
			if err := os.WriteFile(c.Dir, nil, 0o600); err != nil {
				t.Error(err)
			}
		}, "not a directory"},
	} {
		config := testConfig(t.TempDir(), invokerFunc(echoPayload))
		c.change(&config)
		if s, err := New(config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
}

// TestFullDisk has the file of a running execution refuse writes.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := newService(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	m := s.machine(s.MachineARN("p"))
	h := header{Name: "n", Start: time.Now(), Input: "{}"}
	e := newExecution(m, h)
	f, err := createFile(e.path, h)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	s.add(m, e)
	s.run(s.arm(e), e, f, []byte("{}"), nil)
	if got := wait(t, s, e.arn); got.Status != asl.StatusFailed || got.StopDate.IsZero() || got.Error != StoreFailed ||
		!strings.Contains(got.Cause, "history could not be written") {
		t.Errorf("got %+v", got)
	}
}

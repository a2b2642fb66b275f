package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRunOfTheSample(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	if status := l.run(t.Context()); status != 0 {
		t.Fatalf("status %d\n%s", status, l.stderr.String())
	}
	var out struct {
		Bucket, Key, ETag, ChecksumCRC64NVME, JobID string
		Size, Entries                               int64
	}
	decoder := json.NewDecoder(strings.NewReader(l.stdout.String()))
	if err := decoder.Decode(&out); err != nil || decoder.More() {
		t.Fatalf("standard output is not one JSON document (%v): %s", err, l.stdout.String())
	}
	path := filepath.Join(l.dir, "s3", out.Bucket, out.Key)
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	info, err := os.Stat(path)
	if err != nil || info.Size() != out.Size || out.Entries != 24 || len(archive.File) != 24 {
		t.Errorf("%v: %d bytes, %d files; the output: %+v", err, info.Size(), len(archive.File), out)
	}
	if out.ETag == "" || out.ChecksumCRC64NVME == "" || out.JobID == "" {
		t.Errorf("the output lacks something: %+v", out)
	}
	output := l.stderr.String()
	for _, want := range []string{"Launch", "Wait", "Poll", "Transfer", "Done", path, "24 files", "launch ", "in all "} {
		if !strings.Contains(output, want) {
			t.Errorf("standard error lacks %q:\n%s", want, output)
		}
	}
	if strings.ContainsAny(output, "\x1b\r") || strings.Contains(output, "local-secret") || strings.Contains(output, "signature") {
		t.Errorf("escape codes or secrets in %q", output)
	}
	if stored := l.stored(t); len(stored) != 1 {
		t.Errorf("S3 holds %v", stored)
	}
	l.expectNothingLeft(t)
}

// many is a request for n assets.
func many(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("asset_%d", i)
	}
	request, _ := json.Marshal(map[string]any{"query": map[string]any{"assetIds": ids}, "destination": map[string]any{"prefix": "big"}})
	return string(request)
}

// TestRunOfABatch asks for one asset more than an archive takes.
func TestRunOfABatch(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	status := l.run(t.Context(), "-batch", "-input", l.request(t, many(1001)), "-stand-in", "-job-duration 100ms -asset-size 4KiB")
	var out struct {
		Complete bool
		Totals   struct{ Archives, Entries int }
	}
	output := l.stderr.String()
	if err := json.Unmarshal([]byte(l.stdout.String()), &out); err != nil || status != 0 || !out.Complete || out.Totals.Archives != 2 || out.Totals.Entries != 1001 {
		t.Errorf("status %d, %v, %+v\n%s", status, err, out, output)
	}
	for _, want := range []string{"Plan", "Manifest", "Archives: 2 (", "1001 files", "big/manifest.json"} {
		if !strings.Contains(output, want) {
			t.Errorf("standard error lacks %q:\n%s", want, output)
		}
	}
	if stored := strings.Join(l.stored(t), " "); !strings.Contains(stored, "big/assets-0001.zip big/assets-0002.zip big/manifest.json") {
		t.Errorf("S3 holds %v", stored)
	}
	l.expectNothingLeft(t)
}

func TestRunThatFails(t *testing.T) {
	t.Parallel()
	one := func(id string) string { return fmt.Sprintf(`{"query":{"assetIds":[%q]}}`, id) }
	for _, test := range []struct{ name, request, standIn, want, cause string }{
		{"job fails", one("asset_fail"), "", "JobFailed", ""},
		{"job is canceled", one("asset_cancel"), "", "JobCanceled", ""},
		{"bad credentials", one("asset_a"), "-key another", "Unauthorized", ""},
		{"unknown asset", one("asset_missing_1"), "", "RequestInvalid", "asset_missing_1"},
		{"too many assets for one archive", many(1001), "", "RequestInvalid", "1000"},
		{"empty query", `{"query":{}}`, "", "RequestInvalid", "assetIds"},
		{"key that escapes", `{"query":{"assetIds":["asset_a"]},"destination":{"key":"../a.zip"}}`, "", "RequestInvalid", "destination"},
		{"archive that is no ZIP", one("asset_corrupt"), "", "ArchiveCorrupt", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t)
			status := l.run(t.Context(), "-input", l.request(t, test.request), "-stand-in", "-job-duration 100ms "+test.standIn)
			output := l.stderr.String()
			if status != 1 || !strings.Contains(output, "\n"+test.want+": ") || !strings.Contains(output, test.cause) {
				t.Errorf("status %d, want 1 and %s:\n%s", status, test.want, output)
			}
			if !strings.Contains(output, "\nWhat to do: ") {
				t.Errorf("no hint:\n%s", output)
			}
			if out := l.stdout.String(); out != "" {
				t.Errorf("standard output: %q", out)
			}
			if stored := l.stored(t); len(stored) > 0 {
				t.Errorf("left in S3: %v", stored)
			}
			l.expectNothingLeft(t)
		})
	}
}

// stalled makes the archive stop half way; the first upload's parts are there then.
func stalled(times int) string {
	return fmt.Sprintf(`-job-duration 100ms -fault {"operation":"archive","stallAt":20000000,"times":%d}`, times)
}

func TestInterruptedRunLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan int)
	go func() { status <- l.run(ctx, "-stand-in", stalled(0)) }()
	await(l.uploading)
	cancel()
	if got := <-status; got != 130 {
		t.Errorf("status %d", got)
	}
	if output := l.stderr.String(); !strings.Contains(output, "Interrupted. Nothing was left in S3.") {
		t.Errorf("standard error: %s", output)
	}
	if stored := l.stored(t); len(stored) > 0 || l.stdout.String() != "" {
		t.Errorf("left in S3: %v; standard output %q", stored, l.stdout.String())
	}
	l.expectNothingLeft(t)
}

func TestKilledTransferIsRetriedAndEndsWell(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	status := make(chan int)
	go func() { status <- l.run(t.Context(), "-stand-in", stalled(1)) }()
	await(l.uploading)
	killed := 0
	for pid, name := range l.processes(t) {
		if name == "transfer" && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed != 1 {
		t.Errorf("%d transfer processes were there to kill", killed)
	}
	if got := <-status; got != 0 {
		t.Errorf("status %d", got)
	}
	output := l.stderr.String()
	if !strings.Contains(output, "Runtime.ExitError: ") || !strings.Contains(output, "signal: killed") || !strings.Contains(output, "attempt 2") {
		t.Errorf("standard error: %s", output)
	}
	if stored := l.stored(t); len(stored) != 1 {
		t.Errorf("S3 holds %v", stored)
	}
	l.expectNothingLeft(t)
}

func TestRunByAProcessThatIsInterrupted(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	cmd := exec.Command(os.Args[0], "run", "-dir", l.dir, "-stand-in", stalled(0))
	cmd.Env = append(os.Environ(), asLocal+"=1")
	cmd.Stderr = &l.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(l.uploading)
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit status %d\n%s", code, l.stderr.String())
	}
	l.expectNothingLeft(t)
}

func TestKilledRunLeavesNothingForLong(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	cmd := exec.Command(os.Args[0], "run", "-dir", l.dir, "-stand-in", stalled(0))
	cmd.Env = append(os.Environ(), asLocal+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(l.uploading)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	await(func() bool { return len(l.processes(t)) == 0 })
	if status := l.run(t.Context()); status != 0 { // and the next one is not held up by what it left, and removes it
		t.Errorf("status %d\n%s", status, l.stderr.String())
	}
	if stored := l.stored(t); len(stored) != 1 || !strings.Contains(l.stderr.String(), "has been removed") {
		t.Errorf("S3 holds %v\n%s", stored, l.stderr.String())
	}
	l.expectNothingLeft(t)
}

func TestRequestThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct{ name, text, want string }{
		{"missing", "", "missing.json does not exist"},
		{"empty", " \n", "empty.json is empty"},
		{"comma", "{\n  \"query\": {\"assetIds\": [\"é\",]}\n}", "comma.json:2:30: not JSON: invalid character ']'"},
		{"cut", "{\"query\"", "cut.json:1:8: not JSON: unexpected end of JSON input"},
		{"large", `"` + strings.Repeat("x", maxRequest) + `"`, "large.json is larger than 256 KiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, test.name+".json")
			if test.text != "" {
				if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l := &local{dir: filepath.Join(dir, "not-made")}
			status := l.run(t.Context(), "-input", path)
			output := l.stderr.String()
			if status != 2 || !strings.Contains(output, "RequestInvalid: "+filepath.Dir(path)) || !strings.Contains(output, test.want) {
				t.Errorf("status %d:\n%s", status, output)
			}
			if _, err := os.Stat(l.dir); !os.IsNotExist(err) {
				t.Errorf("something was started for it: %v", err)
			}
		})
	}
}

func TestReadRequest(t *testing.T) {
	t.Parallel()
	if text, err := readRequest("-", strings.NewReader("\ufeff{}")); err != nil || string(text) != "{}" {
		t.Errorf("standard input with a byte order mark: %q %v", text, err)
	}
	if _, err := readRequest(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "cannot be read: is a directory") {
		t.Errorf("a directory: %v", err)
	}
	text, err := readRequest("", nil)
	var sample struct{ Query struct{ AssetIDs []string } }
	if err != nil || json.Unmarshal(text, &sample) != nil || len(sample.Query.AssetIDs) != 24 {
		t.Errorf("the sample: %v %s", err, text)
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		args   []string
		env    map[string]string
		status int
		want   string
	}{
		{"help", []string{"-h"}, nil, 0, "usage: local run"},
		{"unknown flag", []string{"-nope"}, nil, 2, "flag provided but not defined"},
		{"argument", []string{"request.json"}, nil, 2, `unexpected argument "request.json"`},
		{"no repository", []string{"-repo", "/"}, nil, 2, "no repository"},
		{"key without secret", nil, map[string]string{"SCENARIO_API_KEY": "k"}, 2, "SCENARIO_API_SECRET is not"},
		{"sample at the real Scenario", nil, map[string]string{"SCENARIO_API_KEY": "k", "SCENARIO_API_SECRET": "s"}, 2, "INPUT=file.json"},
	} {
		l := &local{dir: filepath.Join(t.TempDir(), "x"), env: test.env}
		if status := l.run(t.Context(), test.args...); status != test.status || !strings.Contains(l.stderr.String(), test.want) {
			t.Errorf("%s: status %d\n%s", test.name, status, l.stderr.String())
		}
	}
	var out buffer
	if status := dispatch(t.Context(), nil, &out, &out); status != 2 || !strings.Contains(out.String(), "usage: local run | up") {
		t.Errorf("no command: %d %s", status, out.String())
	}
	if status := dispatch(t.Context(), []string{"run", "-nope"}, &out, &out); status != 2 {
		t.Errorf("status %d", status)
	}
	if status := dispatch(t.Context(), []string{"up", "-nope"}, &out, &out); status != 2 {
		t.Errorf("status %d", status)
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	if status := l.run(t.Context(), "-dry-run"); status != 0 || !strings.Contains(l.stdout.String(), `"creativeUnitsCost": 0.24`) ||
		!strings.Contains(l.stderr.String(), "0.24 creative units") {
		t.Errorf("status %d, %s\n%s", status, l.stdout.String(), l.stderr.String())
	}
}

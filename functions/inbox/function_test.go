package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func TestMain(m *testing.M) { lambdatest.Main(m, main) }

func deployed(b *memory, s *sfntest.Server) map[string]string {
	return map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_S3": b.URL,
		"AWS_ENDPOINT_URL_SFN": s.URL(), "BUCKET": "bucket", "STATE_MACHINE_ARN": sfntest.MachineARN,
		"BATCH_STATE_MACHINE_ARN": sfntest.BatchMachineARN,
	}
}

func TestThroughTheRuntime(t *testing.T) {
	t.Parallel()
	b, s := newBucket(t), sfntest.Start(t)
	f := lambdatest.Start(t, deployed(b, s))
	o := b.drop("requests/a b.json", good)
	for range 2 {
		if a := f.Invoke(t, eventBridge(o)); a.Failed || string(a.Body) != "null" {
			t.Errorf("got %s", a.Body)
		}
	}
	if s.Started() != 1 || b.note(t, "requests/a b.status.json") == nil {
		t.Errorf("%d executions", s.Started())
	}
	b.breaks(failing("GET", 403, "AccessDenied"))
	s.Break(func(string) *sfntest.Fault { return &sfntest.Fault{Status: 400, Code: "AccessDeniedException"} })
	if a := f.Invoke(t, map[string]string{"source": "aws.ec2"}); a.ErrorType() != "Unfinished" {
		t.Errorf("got %s", a.Body)
	}
	want := regexp.MustCompile(`"function":"inbox","requestId":"[0-9a-f-]{36}","key":"requests/a b.json","execution":"a-b-`)
	if logs := f.Logs(); !want.MatchString(logs) {
		t.Errorf("logs: %s", logs)
	}
}

func TestBrokenDeploymentKeepsItsEvents(t *testing.T) {
	for name, value := range map[string]string{"BUCKET": "", "STATE_MACHINE_ARN": "", "BATCH_STATE_MACHINE_ARN": "batch"} {
		env := map[string]string{"BUCKET": "bucket", "STATE_MACHINE_ARN": sfntest.MachineARN}
		env[name] = value
		h := function(func(n string) string { return env[n] }, slog.New(slog.DiscardHandler))
		err := h(t.Context(), nil)
		var answer messages.InvokeResponse_Error
		if !errors.As(err, &answer) || answer.Type != "Misconfigured" || !strings.Contains(answer.Message, name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	t.Setenv("AWS_REGION", "us-east-1")
	in, err := fromEnvironment(func(n string) string {
		return map[string]string{"BUCKET": "b", "STATE_MACHINE_ARN": sfntest.MachineARN, "BATCH_STATE_MACHINE_ARN": sfntest.BatchMachineARN}[n]
	}, nil)
	if err != nil || in.bucket.Name != "b" || in.starter.Batches == nil || in.starter.Lists == nil || in.cleaner.AbortUpload == nil {
		t.Errorf("got %+v, %v", in, err)
	}
}

// repeated is a long text that is nowhere in memory.
type repeated struct {
	line func(int) string
	n    int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.rest = r.line(r.n); r.rest == "" {
			return 0, io.EOF
		}
		r.n++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// dropLines drops n lines of one length.
func (b *memory) dropLines(key string, n int, format string, v func(int) int) object {
	o := b.drop(key, "")
	line := func(i int) string {
		if i == n {
			return ""
		}
		return fmt.Sprintf(format, v(i))
	}
	body := func() io.Reader { return bufio.NewReaderSize(&repeated{line: line}, 1<<20) }
	b.objects[key] = stored{etag: o.etag, size: int64(n * len(line(0))), body: body}
	return o
}

// The most that the function's process has ever held, over everything hostile that can be dropped.
func TestMemoryStaysSmall(t *testing.T) {
	t.Parallel()
	b, s := newBucket(t), sfntest.Start(t)
	f := lambdatest.Start(t, deployed(b, s))
	lines := 1_000_000
	if raced() { // ten times as slow
		lines = 100_000
	}
	same, each := func(int) int { return 7 }, func(i int) int { return i }
	wide := strings.Repeat("x", 200)
	var unknown strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&unknown, `%c"\u0000%d":{}`, "{,"[min(i, 1)], i)
	}
	unknown.WriteByte(',')
	for _, c := range []struct {
		object object
		error  string
	}{
		{b.dropLines("requests/million.csv", lines, "asset_%07d,a hero\n", each), ""},
		{b.dropLines("requests/wide.csv", lines, "asset_%07d,"+wide+"\n", func(i int) int { return i % 900 }), ""},
		{b.dropLines("requests/repeats.csv", lines, "asset_%07d,a hero\n", same), ""},
		{b.dropLines("requests/lines.txt", lines, "asset_%07d\n", func(i int) int { return i % 900 }), ""},
		{b.dropLines("requests/objects.jsonl", lines, `{"id":"asset_%07d"}`+"\n", func(i int) int { return i % 900 }), ""},
		{b.dropLines("requests/quote.csv", lines, "\"asset_%07d\n", each), "RequestInvalid"},
		{b.dropLines("requests/line.txt", lines, "asset_%07d", each), "longer than"},
		{b.dropLines("requests/large.json", lines, "           %07d", each), "larger than"},
		{b.drop("requests/deep.json", `{"query":`+strings.Repeat("[", 1<<20-20)), "not JSON"},
		{b.drop("requests/wide.json", `{"query":{"assetIds":[`+strings.Repeat(`"",`, 300000)+`""]}}`), "RequestInvalid"},
		{b.drop("requests/names.json", `{`+strings.Repeat(`"\u0000":{},`, 80000)+`"a":1}`), "stands twice"},
		{b.drop("requests/unknown.json", unknown.String()+`"a":1}`), "do not exist"},
		{b.drop("requests/bomb.txt", zipped(t)), "gzip"},
	} {
		if a := f.Invoke(t, eventBridge(c.object)); a.Failed {
			t.Fatalf("%s: %s", c.object.key, a.Body)
		}
		note := b.note(t, beside(stem(c.object.key), errorSuffix))
		if c.error == "" && note != nil || c.error != "" && !strings.Contains(fmt.Sprint(note), c.error) {
			t.Errorf("%s: note %v", c.object.key, note)
		}
	}
	if s.Started() != 5 {
		t.Errorf("%d executions", s.Started())
	}
	peak := peakMemory(t, f)
	t.Logf("the process held %d KiB at most", peak>>10)
	if !raced() && peak > 64<<20 {
		t.Errorf("the process held %d bytes; it has 64 MiB", peak)
	}
}

// raced says whether the race detector, which multiplies memory, is on.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// peakMemory is the highest resident size that the function's process has had, in bytes, as Linux keeps it.
func peakMemory(t *testing.T, f *lambdatest.Function) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process's highest resident size in /proc")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.PID(t)))
	if err != nil {
		t.Fatal(err)
	}
	var kib int
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	return kib << 10
}

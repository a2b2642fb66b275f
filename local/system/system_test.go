package system

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// binDir is where the programs are built once for all tests.
var binDir string

func TestMain(m *testing.M) {
	var err error
	if binDir, err = os.MkdirTemp("", "system-test-bin-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(binDir)
	os.Exit(code)
}

var built = sync.OnceValue(func() error {
	return build.Run(context.Background(), build.Options{Repo: "../..", BinDir: binDir, Packages: []string{
		"./functions/...", standInPackage,
	}})
})

// newOptions are for a system of the test's own.
func newOptions(t *testing.T) Options {
	t.Helper()
	if testing.Short() {
		t.Skip("needs minutes the first time: it builds the whole system")
	}
	if err := built(); err != nil {
		t.Fatal(err)
	}
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	screen := display.NewScreen(&bytes.Buffer{}, os.Getenv)
	t.Cleanup(screen.Close)
	return Options{
		Repo: repo, Dir: t.TempDir(), BinDir: binDir, Screen: screen,
		S3:           Address{Name: "S3", Addr: "127.0.0.1:0"},
		StandIn:      Address{Name: "the stand-in", Addr: "127.0.0.1:0"},
		StandInFlags: []string{"-job-duration", "100ms"},
	}
}

func startSystem(t *testing.T, o Options) *System {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *System) begin(t *testing.T, name string) string {
	t.Helper()
	e, err := s.StepFunctions.Start(machineARN(ArchiveMachine), name, []byte(`{"query":{"assetIds":["asset_a","asset_b","asset_c"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if e.ARN != ExecutionARN(ArchiveMachine, name) {
		t.Errorf("the execution's ARN is %s, not %s", e.ARN, ExecutionARN(ArchiveMachine, name))
	}
	return e.ARN
}

func (s *System) objects(t *testing.T) (files []string) {
	t.Helper()
	_ = filepath.WalkDir(filepath.Join(s.dir, "s3", Bucket), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return nil
	})
	return files
}

func TestExecutionInASystem(t *testing.T) {
	t.Parallel()
	o := newOptions(t)
	o.StepFunctions = Address{Name: "Step Functions", Addr: "127.0.0.1:0"}
	o.API = Address{Name: "the API", Addr: "127.0.0.1:0"}
	var mu sync.Mutex
	kinds := map[asl.EventType]int{}
	s := startSystem(t, o)
	defer s.Watch(func(u stepfunctions.Update) {
		mu.Lock()
		defer mu.Unlock()
		kinds[u.Event.Type]++
	}, nil)()
	e, err := s.StepFunctions.Wait(t.Context(), s.begin(t, "one"))
	if err != nil || e.Status != asl.StatusSucceeded {
		t.Fatalf("%v %+v", err, e)
	}
	mu.Lock()
	if kinds["ExecutionStarted"] != 1 || kinds["ExecutionSucceeded"] != 1 || kinds["TaskScheduled"] < 3 {
		t.Errorf("events: %v", kinds)
	}
	mu.Unlock()
	if info, err := os.Stat(s.ObjectPath(Bucket, "archives/one.zip")); err != nil || info.Size() < 3<<20 {
		t.Errorf("the object: %v", err)
	}
	if stopped, err := s.Abandon(t.Context(), e.ARN); stopped || err != nil {
		t.Errorf("an execution that has succeeded: %t %v", stopped, err)
	}
	if len(s.objects(t)) != 1 {
		t.Errorf("its object must stay; there are %v", s.objects(t))
	}
	if err := s.WriteEnvironment(); err != nil {
		t.Error(err)
	}
	s.Close()
	left, _ := filepath.Glob(o.Dir + "/*")
	for _, path := range left {
		if name := filepath.Base(path); strings.HasPrefix(name, "env") || name == "tmp" {
			t.Errorf("%s is left", path)
		}
	}
	for _, log := range []string{"launch", "poll", "transfer"} {
		if text, err := os.ReadFile(filepath.Join(s.LogDir, log+".log")); err != nil || !strings.Contains(string(text), "REPORT RequestId: ") {
			t.Errorf("the log of %s: %v %.100s", log, err, text)
		}
	}
}

func TestAbandon(t *testing.T) {
	t.Parallel()
	t.Run("before there is a transfer", func(t *testing.T) {
		t.Parallel()
		o := newOptions(t)
		o.StandInFlags = []string{"-job-duration", "1h"}
		s := startSystem(t, o)
		if stopped, err := s.Abandon(t.Context(), s.begin(t, "early")); !stopped || err != nil {
			t.Errorf("%t %v", stopped, err)
		}
	})
	t.Run("in mid-transfer", func(t *testing.T) {
		t.Parallel()
		o := newOptions(t)
		o.StandInFlags = append(o.StandInFlags, "-asset-size", "8MiB", "-fault", `{"operation":"archive","stallAt":20000000}`)
		s := startSystem(t, o)
		arn := s.begin(t, "middle")
		for {
			if parts, _ := filepath.Glob(o.Dir + "/s3/archive/.sgwtmp/multipart/*/*/1"); len(parts) > 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if stopped, err := s.Abandon(t.Context(), arn); !stopped || err != nil {
			t.Errorf("%t %v", stopped, err)
		}
		if left := s.objects(t); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	t.Run("unknown execution", func(t *testing.T) {
		t.Parallel()
		s := startSystem(t, newOptions(t))
		if _, err := s.Abandon(t.Context(), ExecutionARN(ArchiveMachine, "nobody")); err == nil {
			t.Error("no error")
		}
	})
}

// An object may appear between the decision to stop and the transfer's end: it goes, unless it is somebody else's.
func TestObjectOfAnAbandonedExecution(t *testing.T) {
	t.Parallel()
	s := startSystem(t, newOptions(t))
	client, closeIdle, err := s.S3.Connect(storageTime)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIdle()
	bucket, key := Bucket, "archives/x.zip"
	for _, test := range []struct {
		writer string
		stays  bool
	}{{"mine é", false}, {"another", true}} {
		_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: strings.NewReader("zip"),
			Metadata: map[string]string{"scenario-execution": url.PathEscape(test.writer)},
		})
		if err != nil {
			t.Fatal(err)
		}
		var last archive.TransferInput
		last.Execution.Name = "mine é"
		last.Destination.Bucket, last.Destination.Key = bucket, key
		if err := s.removeObject(t.Context(), &last); err != nil {
			t.Error(err)
		}
		if there := len(s.objects(t)) > 0; there != test.stays {
			t.Errorf("the object of %q: there %t, want %t", test.writer, there, test.stays)
		}
	}
}

func TestSystemThatCannotStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"S3 elsewhere", func(o *Options) { o.S3.Addr = "192.0.2.1:1" }, "S3"},
		{"stand-in that does not start", func(o *Options) { o.StandInFlags = []string{"-nope"} }, "stand-in did not start: it ended at once; see "},
		{"no sources", func(o *Options) { o.Repo = t.TempDir() }, "archive.asl.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOptions(t)
			test.change(&o)
			if s, err := Start(t.Context(), o); err == nil || s != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			lock, err := takeLock(o.Dir)
			if err != nil {
				t.Fatalf("the directory is still taken: %v", err)
			}
			_ = lock.Close()
		})
	}
}

func TestStandInThatEndsIsTold(t *testing.T) {
	t.Parallel()
	s := startSystem(t, newOptions(t))
	pids, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range pids {
		args, _ := os.ReadFile(dir + "/cmdline")
		environment, _ := os.ReadFile(dir + "/environ")
		if strings.HasPrefix(string(args), binDir+"/scenariotest") && strings.Contains(string(environment), s.temp) {
			var pid int
			_, _ = fmt.Sscan(filepath.Base(dir), &pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if err := <-s.Broken(); err == nil || !strings.Contains(err.Error(), "the Scenario stand-in has ended by itself") {
		t.Errorf("got %v", err)
	}
}

func TestFunctionsGetWhatTheyNeedAndNoMore(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy:1")
	t.Setenv("AWS_PROFILE", "mine")
	s := startSystem(t, newOptions(t))
	launch, transfer := s.function("launch"), s.function("transfer")
	if launch.Env["AWS_ACCESS_KEY_ID"] != "" || transfer.Env["AWS_ENDPOINT_URL_S3"] != s.S3.Endpoint || transfer.Timeout != 15*time.Minute {
		t.Errorf("launch %v, transfer %v", launch.Env, transfer.Env)
	}
	if transfer.Env["SOURCE_ALLOW_LOOPBACK_HTTP"] != "true" || launch.Env["HTTPS_PROXY"] != "" {
		t.Errorf("with the stand-in: %v", transfer.Env)
	}
	s.StandIn, s.Scenario = false, Scenario{DefaultBaseURL, "k", "s"}
	transfer = s.function("transfer")
	if transfer.Env["SOURCE_ALLOW_LOOPBACK_HTTP"] != "" || transfer.Env["HTTPS_PROXY"] != "http://proxy:1" || transfer.Env["AWS_PROFILE"] != "" {
		t.Errorf("with the real Scenario: %v", transfer.Env)
	}
}

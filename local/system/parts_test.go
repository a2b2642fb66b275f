package system

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/local/display"
)

func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	first, err := takeLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(dir); err == nil || !strings.Contains(err.Error(), "in use by process ") || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	_ = first.Close()
	second, err := takeLock(dir)
	if err != nil {
		t.Fatalf("a lock that is free again: %v", err)
	}
	_ = second.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(file); err == nil || !strings.Contains(err.Error(), "cannot be used") {
		t.Errorf("a file in place of the directory: %v", err)
	}
}

func TestScenarioFromEnvironment(t *testing.T) {
	t.Parallel()
	const other = "http://127.0.0.1:1/v1"
	for _, test := range []struct {
		name             string
		url, key, secret string
		want             Scenario
		refused          string
		public, loopback bool
	}{
		{name: "nothing: the stand-in"},
		{name: "key and secret: the real one", key: "k", secret: "s", want: Scenario{DefaultBaseURL, "k", "s"}, public: true},
		{name: "another stand-in", url: other, want: Scenario{other, "local-key", "local-secret"}, loopback: true},
		{name: "all", url: "https://test.scenario.com/v1", key: "k", secret: "s", want: Scenario{"https://test.scenario.com/v1", "k", "s"}, public: true},
		{name: "another host over http", url: "http://host/v1", key: "k", secret: "s", want: Scenario{"http://host/v1", "k", "s"}},
		{name: "key alone", key: "k", refused: "SCENARIO_API_SECRET is not"},
		{name: "secret alone", secret: "s", refused: "SCENARIO_API_KEY is not"},
		{name: "no URL", url: "127.0.0.1:1", refused: "not a URL"},
		{name: "URL with a password", url: "https://u:hidden@h/", refused: "not a URL"},
	} {
		env := map[string]string{"SCENARIO_BASE_URL": test.url, "SCENARIO_API_KEY": test.key, "SCENARIO_API_SECRET": test.secret}
		got, err := ScenarioFromEnvironment(func(name string) string { return env[name] })
		if test.refused != "" {
			if err == nil || !strings.Contains(err.Error(), test.refused) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil || got != test.want || got.Public() != test.public || got.loopbackHTTP() != test.loopback {
			t.Errorf("%s: %v, %+v, public %t, loopback %t", test.name, err, got, got.Public(), got.loopbackHTTP())
		}
	}
}

func TestParseAddr(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"7070": "127.0.0.1:7070", ":7070": "127.0.0.1:7070", "localhost:1": "127.0.0.1:1", "127.0.0.2:0": "127.0.0.2:0", "[::1]:5": "[::1]:5",
		"0.0.0.0:1": "", "10.0.0.1:1": "", "example.org:1": "", "127.0.0.1:65536": "", "127.0.0.1:http": "", "1:2:3": "", "": "", "-1": "",
	} {
		got, err := ParseAddr(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "::1"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			continue // no IPv6 here
		}
		defer listener.Close()
		a := Address{Name: "S3", Addr: listener.Addr().String(), Change: "-s3-addr"}
		if err := a.check(); err == nil || !strings.Contains(err.Error(), "is taken") || !strings.Contains(err.Error(), "choose another with -s3-addr") {
			t.Errorf("got %v", err)
		}
	}
	a := Address{Name: "S3", Addr: "192.0.2.1:1", Change: "-s3-addr"}
	if err := a.check(); err == nil || strings.Contains(err.Error(), "taken") {
		t.Errorf("an address of another machine: %v", err)
	}
}

func TestQuoteForAShell(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "plain", "/a b/c", "it's", `$HOME "x" \ ;&|`, "*", "línea\nzwei"} {
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+quote(value)).Output()
		if err != nil || string(out) != value {
			t.Errorf("%q comes back as %q (%v)", value, out, err)
		}
	}
	if got := quote("https://127.0.0.1:7070"); got != "https://127.0.0.1:7070" {
		t.Errorf("quoted for nothing: %s", got)
	}
}

func TestLogFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := filepath.Join(dir, "f.log")
	if err := os.WriteFile(big, make([]byte, keepLog+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // two systems, one after the other
		l, err := newLogFiles(dir)
		if err != nil {
			t.Fatal(err)
		}
		l.write("f", "one")
		l.write("f", "two")
		l.close()
	}
	text, err := os.ReadFile(big)
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 5 || !strings.HasSuffix(lines[3], "Z two") {
		t.Errorf("%v: %q", err, text)
	}
	if info, err := os.Stat(big + ".1"); err != nil || info.Size() != keepLog+1 {
		t.Errorf("the log of before: %v", err)
	}
	if _, err := newLogFiles(big); err == nil {
		t.Error("a file in place of the directory is no error")
	}
}

func TestProgressIsReadFromTheLog(t *testing.T) {
	t.Parallel()
	logs, err := newLogFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer logs.close()
	var got []int64
	s := &System{logs: logs}
	s.progress.watched(func(execution string, done, total int64) {
		if execution == "e" {
			got = append(got, done, total)
		}
	})
	for _, text := range []string{
		`{"msg":"transfer progress","execution":"e","bytes":5,"size":10}`,
		`{"msg":"other","about":"transfer progress","execution":"e","bytes":6,"size":10}`,
		`not JSON with "transfer progress"`,
		`REPORT`,
	} {
		s.functionLine("transfer", text)
	}
	if len(got) != 2 || got[0] != 5 || got[1] != 10 {
		t.Errorf("got %v", got)
	}
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(repo, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := &System{options: Options{Repo: repo}}
	if _, err := s.definitions(); err == nil {
		t.Error("no definition is no error")
	}
	write("statemachine/archive.asl.json", `"${LaunchFunctionArn}" "${PollFunctionArn}" "${LaunchFunctionArn}"`)
	names := func() string {
		t.Helper()
		list, err := s.definitions()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(functionNames(list), " ")
	}
	if _, err := s.definitions(); err == nil {
		t.Error("no definition of the batch is no error")
	}
	write("statemachine/batch.asl.json", `"${PlanFunctionArn}" "${ArchiveStateMachineArn}"`)
	if got := names(); got != "launch plan poll" {
		t.Errorf("functions: %s", got)
	}
	write("statemachine/archive.asl.json", `"${Unheard}"`)
	var err error
	if s.served, err = s.definitions(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.machines(); err == nil || !strings.Contains(err.Error(), "${Unheard}") {
		t.Errorf("an unknown substitution: %v", err)
	}
}

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

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// environment reads the environment file as a shell does.
func (l *local) environment(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("/bin/sh", "-c", `env -i sh -c '. "$0"; env' "$0"`, filepath.Join(l.dir, "env")).Output()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	delete(values, "PWD")
	delete(values, "_")
	delete(values, "SHLVL")
	return values
}

func (l *local) startUp(t *testing.T, args ...string) (env map[string]string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan int, 1)
	go func() { status <- l.up(ctx, args...) }()
	await(func() bool {
		_, err := os.Stat(filepath.Join(l.dir, "env"))
		return err == nil || len(status) > 0
	})
	if len(status) > 0 {
		cancel()
		t.Fatalf("status %d\n%s", <-status, l.stderr.String())
	}
	return l.environment(t), func() {
		cancel()
		if got := <-status; got != 0 {
			t.Errorf("status %d\n%s", got, l.stderr.String())
		}
		l.expectNothingLeft(t)
	}
}

type execution struct {
	ARN    string `json:"executionArn"`
	Status string `json:"status"`
	Output string `json:"output"`
}

func describe(t *testing.T, env map[string]string, arn string) (e execution) {
	t.Helper()
	answer := call(t, env["AWS_ENDPOINT_URL_SFN"], "DescribeExecution", fmt.Sprintf(`{"executionArn":%q}`, arn))
	if err := json.Unmarshal([]byte(answer), &e); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return e
}

func start(t *testing.T, env map[string]string, name, request string) execution {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"stateMachineArn": env["STATE_MACHINE_ARN"], "name": name, "input": request})
	var e execution
	if err := json.Unmarshal([]byte(call(t, env["AWS_ENDPOINT_URL_SFN"], "StartExecution", string(body))), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestUp(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	env, stop := l.startUp(t)
	info, err := os.Stat(filepath.Join(l.dir, "env"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the environment file: %v %v", err, info.Mode())
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SFN", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_REGION", "BUCKET", "STATE_MACHINE_ARN", "BATCH_STATE_MACHINE_ARN", "API_URL"} {
		if env[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	for _, test := range []struct{ name, request, status string }{
		{"good", `{"query":{"assetIds":["asset_a","asset_b"]}}`, "SUCCEEDED"},
		{"bad", `{"query":{"assetIds":["asset_fail"]}}`, "FAILED"},
	} {
		e := start(t, env, test.name, test.request)
		await(func() bool { return describe(t, env, e.ARN).Status != "RUNNING" })
		if got := describe(t, env, e.ARN); got.Status != test.status {
			t.Errorf("%s: %+v", test.name, got)
		}
	}

	other := &local{dir: l.dir}
	if status := other.run(t.Context()); status != 2 || !strings.Contains(other.stderr.String(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("a second one in the same directory: %d\n%s", status, other.stderr.String())
	}
	stop()
	output := l.stderr.String()
	for _, want := range []string{env["AWS_ENDPOINT_URL_S3"], env["AWS_ENDPOINT_URL_SFN"], "aws stepfunctions start-execution",
		"good  Started", "good  Done", "Failed       JobFailed: "} {
		if !strings.Contains(output, want) {
			t.Errorf("standard error lacks %q:\n%s", want, output)
		}
	}

	env, stop = l.startUp(t) // remembers
	defer stop()
	if got := describe(t, env, "arn:aws:states:us-east-1:000000000000:execution:archive:good"); got.Status != "SUCCEEDED" || got.Output == "" {
		t.Errorf("after a restart: %+v", got)
	}
}

// standInProcess is a stand-in that outlives a system, as Scenario does.
func standInProcess(t *testing.T) (url string) {
	t.Helper()
	built, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(built.Binary(standIn), "-addr", "127.0.0.1:0", "-job-duration", "3s")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line := make([]byte, 100)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line[:n]))
}

func TestExecutionsGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	l.env["SCENARIO_BASE_URL"] = standInProcess(t)
	env, stop := l.startUp(t)
	if !strings.Contains(l.stderr.String(), l.env["SCENARIO_BASE_URL"]) {
		t.Errorf("another Scenario is not named:\n%s", l.stderr.String())
	}
	e := start(t, env, "long", `{"query":{"assetIds":["asset_a"]}}`)
	await(func() bool { return strings.Contains(l.stderr.String(), "long  Launch") })
	stop()
	env, stop = l.startUp(t)
	defer stop()
	await(func() bool { return describe(t, env, e.ARN).Status != "RUNNING" })
	if got := describe(t, env, e.ARN); got.Status != "SUCCEEDED" {
		t.Errorf("%+v\n%s", got, l.stderr.String())
	}
}

func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	l := newLocal(t)
	if status := l.up(t.Context(), "-stepfunctions-addr", port); status != 2 {
		t.Errorf("status %d", status)
	}
	output := l.stderr.String()
	for _, want := range []string{"Step Functions: port " + port + " is taken", "-stepfunctions-addr", "LOCAL_STEPFUNCTIONS_ADDR"} {
		if !strings.Contains(output, want) {
			t.Errorf("standard error lacks %q:\n%s", want, output)
		}
	}
	if _, err := os.Stat("/proc/self/fd"); err == nil && !strings.Contains(output, fmt.Sprintf("(process %d)", os.Getpid())) {
		t.Errorf("who holds it is not named:\n%s", output)
	}
}

func TestUpIsStoppedWhenItsS3ServerEnds(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	status := make(chan int, 1)
	go func() { status <- l.up(t.Context()) }()
	await(func() bool { return strings.Contains(l.stderr.String(), "Up.") || len(status) > 0 })
	for pid, name := range l.processes(t) {
		if name == "versitygw" {
			p, _ := os.FindProcess(pid)
			_ = p.Kill()
		}
	}
	if got := <-status; got != 1 || !strings.Contains(l.stderr.String(), "the S3 server has ended by itself") {
		t.Errorf("status %d\n%s", got, l.stderr.String())
	}
	l.expectNothingLeft(t)
}

func TestUpInterruptedWhileItStarts(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status := l.up(ctx); status != 130 {
		t.Errorf("status %d\n%s", status, l.stderr.String())
	}
	l.expectNothingLeft(t)
}

func TestAddressesOfUp(t *testing.T) {
	t.Parallel()
	l := &local{dir: t.TempDir(), env: map[string]string{"LOCAL_S3_ADDR": "0.0.0.0:7070"}}
	u := newUp()
	u.settings = l.settings()
	if status := u.main(t.Context(), nil, &l.stderr); status != 2 || !strings.Contains(l.stderr.String(), "LOCAL_S3_ADDR") {
		t.Errorf("status %d\n%s", status, l.stderr.String())
	}
}

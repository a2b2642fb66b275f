package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scenario-archive/scenario-archive/scenario/scenariotest"
)

// serving starts the command's run and gives its base URL and a way to stop it, which gives the exit status.
func serving(t *testing.T, args ...string) (base string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	status := make(chan int, 1)
	go func() { // ends by cancel
		status <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), writer, io.Discard)
	}()
	line := make([]byte, 100)
	n, err := reader.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(line[:n]), "\n"), func() int {
		cancel()
		return <-status
	}
}

func TestServesUntilStopped(t *testing.T) {
	t.Parallel()
	base, stop := serving(t, "-key", "k", "-secret", "s", "-fault", `{"operation":"job","status":418}`,
		"-fault", `[{"operation":"cancel","latency":"1h"}]`)
	get := func(method, path, secret string) (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("k", secret)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	for _, test := range []struct {
		path, secret string
		status       int
	}{{"/jobs/x", "s", 418}, {"/assets/download/x", "s", 404}, {"/assets/download/x", "wrong", 401}} {
		if status, err := get("GET", test.path, test.secret); err != nil || status != test.status {
			t.Errorf("%+v: %d, %v", test, status, err)
		}
	}
	waiting := make(chan error, 1)
	go func() { // ends when the server does
		_, err := get("POST", "/jobs/x/action", "s")
		waiting <- err
	}()
	if status := stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	<-waiting
	if _, err := get("GET", "/jobs/x", "s"); err == nil {
		t.Error("still serves")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	at, o, err := parse(strings.Fields("-addr :1 -tls-cert c -tls-key k -job-duration 2s -url-lifetime 3s -assets 5 -asset-size 20MiB "+
		"-max-jobs 8"), io.Discard)
	want := scenariotest.Options{
		Key: scenariotest.DefaultKey, Secret: scenariotest.DefaultSecret, JobDuration: 2 * time.Second, URLLifetime: 3 * time.Second,
		AssetsPerSource: 5, AssetSize: 20 << 20, Catalogue: 250, MaxConcurrentJobs: 8,
	}
	if err != nil || at != (place{":1", "c", "k"}) || !reflect.DeepEqual(o, want) {
		t.Errorf("%v, %+v, %+v", err, at, o)
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-nope", "extra", "-asset-size x", "-asset-size -1", "-asset-size 9999999999GiB",
		`-fault {"sttus":1}`, "-url-lifetime 1ms", "-max-jobs many", "-tls-cert c"} {
		var stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), io.Discard, &stderr); status != 2 || stderr.Len() == 0 {
			t.Errorf("%s: exit status %d, says %q", args, status, stderr.String())
		}
	}
	if status := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); status != 0 {
		t.Errorf("-h: exit status %d", status)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "17": 17, "17B": 17, "2kB": 2000, "2 KiB": 2048, "3MB": 3e6, "1GB": 1e9, "20GiB": 20 << 30} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"-addr", listener.Addr().String()}, io.Discard, &stderr)
	if status != 1 || !strings.Contains(stderr.String(), "address already in use") {
		t.Errorf("exit status %d, says %q", status, stderr.String())
	}
}

// TestMain is also the command itself, in the process that TestSignals starts.
func TestMain(m *testing.M) {
	if os.Getenv("SCENARIOTEST_RUN_MAIN") == "1" {
		main()
	}
	os.Exit(m.Run())
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-addr", "127.0.0.1:0")
		command.Env = append(os.Environ(), "SCENARIOTEST_RUN_MAIN=1")
		stdout, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 100)
		n, _ := stdout.Read(line)
		if !strings.HasPrefix(string(line[:n]), "http://127.0.0.1:") || !strings.HasSuffix(string(line[:n]), "/v1\n") {
			t.Errorf("prints %q", line[:n])
		}
		if err := command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("%v: %v", signal, err)
		}
	}
}

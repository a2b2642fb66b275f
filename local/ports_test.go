package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every port that the system opens refuses what a page of another origin, or a name that was made to point here, sends.
func TestEveryPortIsForThisMachineAlone(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	cmd := exec.Command(os.Args[0], "up", "-dir", l.dir, "-s3-addr", "0", "-stepfunctions-addr", "0", "-scenario-addr", "0", "-api-addr", "0")
	cmd.Env = append(os.Environ(), asLocal+"=1")
	cmd.Stderr = &l.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Signal(os.Interrupt); <-ended }()
	await(func() bool {
		_, err := os.Stat(filepath.Join(l.dir, "env"))
		return err == nil || cmd.ProcessState != nil
	})
	resp, err := http.Get(l.environment(t)["API_URL"] + "/archives") // its function then waits at a Runtime API
	if err != nil {
		t.Fatalf("%v\n%s", err, l.stderr.String())
	}
	_ = resp.Body.Close()

	pids := []int{cmd.Process.Pid}
	for pid := range l.processes(t) {
		pids = append(pids, pid)
	}
	ports := listening(t, pids)
	if len(ports) < 5 {
		t.Errorf("ports %v; want the API, Step Functions, Scenario, S3 and a Runtime API at least", ports)
	}
	for _, port := range ports {
		for _, path := range []string{"/", "/2018-06-01/runtime/invocation/next", "/_test/jobs"} {
			addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
			for name, c := range map[string]struct{ host, origin string }{
				"a name that points here": {"evil.example", ""},
				"another page":            {addr, "https://evil.example"},
			} {
				for _, method := range []string{"GET", "POST"} {
					if got := answerTo(t, addr, method, path, c.host, c.origin); got != 421 && got != 403 {
						t.Errorf("port %d answers %s %s of %s with %d", port, method, path, name, got)
					}
				}
			}
		}
	}
}

// answerTo asks over TLS, or without where the server knows none.
func answerTo(t *testing.T, addr, method, path, host, origin string) int {
	t.Helper()
	var conn net.Conn
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // nothing secret is sent
	if err != nil {
		conn, err = net.Dial("tcp", addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n", method, path, host)
	if origin != "" {
		request += "Origin: " + origin + "\r\n"
	}
	if _, err := fmt.Fprint(conn, request+"\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s %s %s: %v", addr, method, path, err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// listening are the ports that the processes listen on.
func listening(t *testing.T, pids []int) (ports []int) {
	t.Helper()
	const listen = "0A"
	byInode := map[string]int{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == listen {
				port, _ := strconv.ParseInt(f[1][strings.LastIndexByte(f[1], ':')+1:], 16, 32)
				byInode["socket:["+f[9]+"]"] = int(port)
			}
		}
	}
	for _, pid := range pids {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, file := range files {
			target, _ := os.Readlink(file)
			if port, ok := byInode[target]; ok {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

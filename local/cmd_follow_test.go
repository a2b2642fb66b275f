package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// follow is `local follow` in this process.
func (l *local) follow(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, errs buffer
	f := &follow{settings: l.settings()}
	status = f.main(ctx, append([]string{"-dir", l.dir}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

func TestFollow(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	env, stop := l.startUp(t, "-stand-in", "-job-duration 300ms")
	e := start(t, env, "good", twoAssets)
	status, stdout, stderr := l.follow(t.Context(), "-id", "good")
	var out struct{ Key string }
	if err := json.Unmarshal([]byte(stdout), &out); status != 0 || err != nil || out.Key != "archives/good.zip" {
		t.Errorf("status %d, %v: %s", status, err, stdout)
	}
	for _, want := range []string{"Following good\n", "Launch       job job_", "Transfer     2 files, ", "Done", "s3/archive/archives/good.zip (", "Time:     launch "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
	if strings.Count(stderr, "Launch       job") != 1 {
		t.Errorf("printed twice:\n%s", stderr)
	}
	if status, again, _ := l.follow(t.Context(), "-id", e.ARN, "-url", env["API_URL"]); status != 0 || again != stdout {
		t.Errorf("by its ARN, after its end: %d %s", status, again)
	}
	start(t, env, "bad", `{"query":{"assetIds":["asset_fail"]}}`)
	if status, stdout, stderr := l.follow(t.Context(), "-id", "bad"); status != 1 || stdout != "" || !strings.Contains(stderr, "\nJobFailed: ") {
		t.Errorf("one that fails: %d %q\n%s", status, stdout, stderr)
	}
	if status, _, stderr := l.follow(t.Context(), "-id", "nobody"); status != 2 || !strings.Contains(stderr, "nobody") {
		t.Errorf("one that does not exist: %d\n%s", status, stderr)
	}
	stop()
	if status, _, stderr := l.follow(t.Context(), "-id", "good"); status != 2 || !strings.Contains(stderr, "make up") {
		t.Errorf("when nothing is up: %d\n%s", status, stderr)
	}
}

// played is a system whose execution stays in a state, and whose transfer is half done. asked is called each time that
// somebody asks how far it is.
func played(t *testing.T, history string, asked func()) *local {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")
		switch {
		case strings.HasPrefix(r.URL.Path, "/local/progress/"):
			asked()
			_, _ = w.Write([]byte(`{"bytesDone":1,"bytesTotal":2}`))
		case action == "DescribeExecution":
			_, _ = w.Write([]byte(`{"status":"RUNNING","startDate":1}`))
		default:
			_, _ = w.Write([]byte(history))
		}
	}))
	t.Cleanup(server.Close)
	l := &local{dir: t.TempDir(), env: map[string]string{}}
	text := "export AWS_ENDPOINT_URL_SFN=" + server.URL + "\nexport API_URL=" + server.URL + "\nexport STATE_MACHINE_ARN=arn:aws:states:r:1:stateMachine:archive\n"
	if err := os.WriteFile(filepath.Join(l.dir, "env"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFollowIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var times atomic.Int32
	l := played(t, `{"events":[{"id":1,"previousEventId":0,"timestamp":1,"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"Transfer"}}]}`,
		func() {
			if times.Add(1) == 4 { // it has shown three by then, and those but once
				interrupt()
			}
		})
	status, stdout, stderr := l.follow(ctx, "-id", "x")
	if status != 130 || stdout != "" || !strings.Contains(stderr, "the execution continues") || strings.Count(stderr, "transferring the archive") != 1 {
		t.Errorf("%d %q\n%s", status, stdout, stderr)
	}
}

func TestFollowOfASystemThatAnswersNonsense(t *testing.T) {
	t.Parallel()
	l := played(t, `not JSON`, func() {})
	if status, _, stderr := l.follow(t.Context(), "-id", "x"); status != 2 || !strings.Contains(stderr, "error:") {
		t.Errorf("%d\n%s", status, stderr)
	}
	text := "export AWS_ENDPOINT_URL_SFN=http://127.0.0.1:1\n"
	if err := os.WriteFile(filepath.Join(l.dir, "env"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := l.follow(t.Context(), "-id", "x"); status != 2 || !strings.Contains(stderr, "does not answer at 127.0.0.1:1") {
		t.Errorf("%d\n%s", status, stderr)
	}
}

func TestFollowUsage(t *testing.T) {
	t.Parallel()
	l := played(t, "", func() {})
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "make follow ID="},
		{[]string{"-id", "x", "-url", "nowhere"}, "is not an address"},
		{[]string{"-id", "x", "y"}, "unexpected argument"},
		{[]string{"-nope"}, "usage: local follow"},
	} {
		if status, _, stderr := l.follow(t.Context(), test.args...); status != 2 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: %d\n%s", test.args, status, stderr)
		}
	}
	if status := cmdFollow(t.Context(), []string{"-h"}, &l.stdout, &l.stderr); status != 0 {
		t.Errorf("help: %d", status)
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The package internal/emulator/s3 tests the program as it is run, over TLS. Here it is served in this process.
func TestServe(t *testing.T) {
	t.Setenv("ROOT_ACCESS_KEY", "key")
	t.Setenv("ROOT_SECRET_KEY", "secret-key")
	dir := t.TempDir()
	o := options{addr: freeAddress(t), region: "us-east-1", dir: filepath.Join(dir, "s3"), sidecar: filepath.Join(dir, "meta")}
	for _, d := range []string{o.dir, o.sidecar} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o) }()
	awaitAnswer(t, o.addr, ended)

	client := &http.Client{Transport: &http.Transport{}}
	for i, c := range []struct {
		host, origin string
		want         int
	}{
		{"", "", 404},
		{"", "", 404},
		{"evil.example", "", 421},
		{"", "https://evil.example", 403},
		{"", "", 404},
	} {
		var reused bool
		trace := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(g httptrace.GotConnInfo) { reused = g.Reused }})
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20))) // of no length that the client could know
		r, err := http.NewRequestWithContext(trace, "PUT", "http://"+o.addr+"/bucket/key", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want || reused != (i > 0) || strings.Contains(string(text), "this machine alone") != (c.want == 421) {
			t.Errorf("request %d: got %d %s; on a used connection: %v", i, resp.StatusCode, text, reused)
		}
	}
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestStorageThatIsNotThere(t *testing.T) {
	t.Parallel()
	if err := serve(t.Context(), options{addr: "127.0.0.1:0", dir: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("served a directory that is not there")
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitAnswer(t *testing.T, addr string, ended <-chan error) {
	t.Helper()
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

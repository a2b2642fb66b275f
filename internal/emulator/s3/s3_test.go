package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

func testConfig(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	return Config{Dir: filepath.Join(dir, "data"), Bucket: "bucket", TLSDir: filepath.Join(dir, "tls"), Log: io.Discard}
}

func TestServerKeepsObjectsAsFiles(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	first, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	first.Stop()
	server, err := Start(t.Context(), c) // on the same directory: the bucket is there already
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	client, closeIdle, err := server.Connect(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer closeIdle()
	key := "a/b.txt"
	if _, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &c.Bucket, Key: &key, Body: strings.NewReader("text")}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(c.Dir, c.Bucket, key)); err != nil || string(b) != "text" {
		t.Errorf("file: %q, %v", b, err)
	}
	if !strings.HasPrefix(server.Endpoint, "https://127.0.0.1:") || server.Region != "us-east-1" || server.SecretAccessKey == "" {
		t.Errorf("server: %+v", server)
	}
	for _, dir := range []string{c.Dir, c.TLSDir} {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	server.Stop()
	select {
	case <-server.Done():
	default:
		t.Error("Stop returned before the server had ended")
	}
	server.Stop() // a second time does nothing
	if _, err := (&http.Client{Timeout: time.Second}).Get(server.Endpoint); err == nil {
		t.Error("the server still answers")
	}
}

// A test binary or a runner that is killed leaves neither the server nor its directory.
func TestTemporaryDirectoryGoesWithTheServer(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Server){
		"stopped":              (*Server).Stop,
		"its starter has gone": func(s *Server) { _ = s.stdin.Close() },
	} {
		s, err := Start(t.Context(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(filepath.Dir(s.CAFile))
		if _, err := os.Stat(filepath.Join(dir, "s3")); err != nil {
			t.Error(err)
		}
		end(s)
		<-s.Done()
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %s is left: %v", name, dir, err)
		}
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"open to the network": {func(c *Config) { c.Addr = "0.0.0.0:0" }, "not a loopback address"},
		"every address":       {func(c *Config) { c.Addr = ":0" }, "not a loopback address"},
		"no address":          {func(c *Config) { c.Addr = "nonsense" }, "want host:port"},
		"port taken":          {func(c *Config) { c.Addr = taken.Addr().String() }, "already in use"},
		"directory is a file": {func(c *Config) { c.Dir = file }, "not a directory"},
		"no repository":       {func(c *Config) { c.RepoDir = filepath.Dir(file) }, "no such file"},
		"bad bucket name":     {func(c *Config) { c.Bucket = "B" }, "make bucket"},
	} {
		config := testConfig(t)
		c.change(&config)
		server, err := Start(t.Context(), config)
		if err == nil {
			server.Stop()
			t.Errorf("%s: no error", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want it to say %q", name, err, c.want)
		}
	}
}

func TestCertificatesAreKeptWhileTheyLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	read := func(at time.Time) string {
		c, err := ensureCertificates(t.Context(), dir, at)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(c.keyFile)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("key: %v, %v", info.Mode(), err)
		}
		b, err := os.ReadFile(c.certFile)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := read(now)
	if read(now.Add(time.Hour)) != first {
		t.Error("made again after an hour")
	}
	if read(now.Add(certificateLife)) == first {
		t.Error("not made again when its time is up")
	}
}

func TestCertificateIsForLoopbackAlone(t *testing.T) {
	t.Parallel()
	c, err := ensureCertificates(t.Context(), t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pem, _ := os.ReadFile(c.caFile)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for name, want := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "example.com": false} {
		_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLockWaitsForItsHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockPoll)
	defer cancel()
	if _, err := lockFile(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a held lock is given away: %v", err)
	}
	unlock()
	again, err := lockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestBuildFailureIsShown(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	if err := os.MkdirAll(filepath.Join(repo, "local", "versitygw"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module x\n\ngo 1.26\n", "versitygw/main.go": "package main\n\nfunc main() { undefined() }\n"} {
		if err := os.WriteFile(filepath.Join(repo, "local", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	_, err := ensureBinary(t.Context(), Config{RepoDir: repo, Log: &log})
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") || !strings.Contains(log.String(), "building the local S3 server") {
		t.Errorf("error %v, log %q", err, log.String())
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var tl tail
	for range 100 {
		_, _ = tl.Write([]byte(strings.Repeat("x", 1000)))
	}
	_, _ = tl.Write([]byte("the end\n"))
	if s := tl.String(); len(s) > tailBytes || !strings.HasSuffix(s, "xthe end") {
		t.Errorf("%d bytes kept", len(s))
	}
}

func TestMetadataGoesBesideWithoutExtendedAttributes(t *testing.T) {
	t.Parallel()
	c := Config{Dir: "/data"}
	if args := strings.Join(arguments(c, certificates{}, "/meta"), " "); !strings.HasSuffix(args, "-dir /data -sidecar /meta") {
		t.Errorf("arguments %q", args)
	}
	c.MD5ETags = true
	if args := strings.Join(arguments(c, certificates{}, ""), " "); !strings.HasSuffix(args, "-sidecar  -md5-etags") {
		t.Errorf("arguments %q", args)
	}
}

// The first start reports what takes long; later ones use what is there.
func TestBinaryIsKept(t *testing.T) {
	t.Parallel()
	c := testConfig(t)
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	first, err := ensureBinary(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	c.Log = &log
	second, err := ensureBinary(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(second)
	if err != nil || !os.SameFile(after, before) || log.Len() > 0 {
		t.Errorf("built again: %v, %q", err, log.String())
	}
}

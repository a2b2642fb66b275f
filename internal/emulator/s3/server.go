// Package s3 runs a real S3 server (versitygw) on a directory of this machine, over TLS, on loopback only: an object
// is a plain file under <dir>/<bucket>/<key>. It builds the server when it has to, makes the certificate, waits until
// requests are answered, and leaves no process behind.
package s3

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// Config says where the server keeps things. All fields may be left out.
type Config struct {
	// Dir is where buckets are directories and objects are files; made when missing. Default: a temporary directory,
	// which the server removes at its end.
	Dir    string
	Addr   string // loopback host:port; port 0 takes a free one. Default 127.0.0.1:0
	Bucket string // made when missing; empty makes none

	RepoDir string // the repository, absolute, for building the server. Default: found upwards of the working directory
	TLSDir  string // where the CA and the server's certificate are kept. Default <Dir>/../tls

	// MD5ETags makes ETags of MD5 sums, which is what S3 does with objects in the clear. It costs the server more than all
	// else that it does with a part. Without it an ETag is the CRC64NVME, which the server computes anyway; a client must
	// not read anything into either ("Common Response Headers", S3 API Reference).
	MD5ETags bool

	Log io.Writer // gets a line for each thing that takes long; nil is silent

	temporary string // the directory to remove
}

// Server is a running S3 server. Its fields do not change.
type Server struct {
	Access
	cmd    *exec.Cmd
	output tail
	done   chan struct{} // closed when the process has ended
	stdin  io.Closer     // the process ends when it closes; it must be reachable: the collector closes files that are not
}

const (
	accessKey = "local"

	readyPoll     = 25 * time.Millisecond
	startAttempts = 5                // a port that was free may be taken before the server binds it
	readyWithin   = 30 * time.Second // versitygw answers within half a second on an idle machine
	stopGrace     = 5 * time.Second
)

// Start builds the server if needed, starts it and returns once it answers requests. ctx bounds the start alone: stop a
// started server with Stop. The server also ends when this process does, however that happens.
func Start(ctx context.Context, c Config) (_ *Server, err error) {
	defer func() {
		if err != nil {
			_ = os.RemoveAll(c.temporary) // nothing without a name
		}
	}()
	if err := c.complete(); err != nil {
		return nil, err
	}
	bin, err := ensureBinary(ctx, c)
	if err != nil {
		return nil, err
	}
	certs, err := ensureCertificates(ctx, c.TLSDir, time.Now())
	if err != nil {
		return nil, fmt.Errorf("make a certificate in %s: %w", c.TLSDir, err)
	}
	sidecar, err := prepareDirs(c)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(c.Addr)
	for attempt := 1; ; attempt++ {
		server, err := startOnce(ctx, c, exec.Command(bin, arguments(c, certs, sidecar)...), certs.caFile)
		if err == nil || !errors.Is(err, errPortTaken) || port != "0" || attempt == startAttempts {
			return server, err
		}
	}
}

func startOnce(ctx context.Context, c Config, cmd *exec.Cmd, caFile string) (_ *Server, err error) {
	addr, err := pickAddr(c.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{Access: Access{"https://" + addr, caFile, accessKey, rand.Text(), emulator.Region}, cmd: cmd, done: make(chan struct{})}
	cmd.Args = append(cmd.Args, "-addr", addr)
	cmd.Env = []string{
		"ROOT_ACCESS_KEY=" + s.AccessKeyID, "ROOT_SECRET_KEY=" + s.SecretAccessKey,
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.Getenv("TMPDIR"),
	}
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	// It is not tied to this process by the kernel: killed, it could not remove what is temporary.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.stdin, err = cmd.StdinPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		_ = cmd.Wait()
		close(s.done)
	}()
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := s.waitReady(ctx, c.Bucket); err != nil {
		s.Stop()
		return nil, fmt.Errorf("local S3 on %s: %w", addr, err)
	}
	return s, nil
}

// waitReady asks until the server answers a real, signed request over TLS, and makes the bucket.
func (s *Server) waitReady(ctx context.Context, bucket string) error {
	client, closeIdle, err := s.Connect(5*time.Second, func(o *awss3.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return err
	}
	defer closeIdle()
	for {
		if _, err = client.ListBuckets(ctx, &awss3.ListBucketsInput{}); err == nil {
			break
		}
		select {
		case <-s.done:
			return s.endedEarly()
		case <-ctx.Done():
			return fmt.Errorf("no answer in time: %w (last: %v)\n%s", ctx.Err(), err, s.Stderr())
		case <-time.After(readyPoll):
		}
	}
	if bucket == "" {
		return nil
	}
	_, err = client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: &bucket})
	var owned *types.BucketAlreadyOwnedByYou
	var exists *types.BucketAlreadyExists
	if err != nil && !errors.As(err, &owned) && !errors.As(err, &exists) {
		return fmt.Errorf("make bucket %q: %w", bucket, err)
	}
	return nil
}

func (s *Server) endedEarly() error {
	text := s.Stderr()
	if strings.Contains(text, "address already in use") {
		return errPortTaken
	}
	return fmt.Errorf("the server ended at once (%v): %s", s.cmd.ProcessState, text)
}

// tail keeps the last bytes written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > tailBytes {
		t.b = append([]byte(nil), t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}

func arguments(c Config, certs certificates, sidecar string) []string {
	args := []string{"-region", emulator.Region, "-cert", certs.certFile, "-key", certs.keyFile, "-dir", c.Dir, "-sidecar", sidecar}
	if c.MD5ETags {
		args = append(args, "-md5-etags")
	}
	if c.temporary != "" {
		args = append(args, "-remove", c.temporary)
	}
	return args
}

// Stop ends the server: it asks first and kills after a grace time. It may be called more than once.
func (s *Server) Stop() { process.Stop(s.cmd, s.done, stopGrace) }

// Done is closed when the server's process has ended, for any reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stderr is the end of what the server wrote, for an error message.
func (s *Server) Stderr() string { return s.output.String() }

func (c *Config) complete() error {
	var err error
	if c.Dir == "" {
		if c.temporary, err = os.MkdirTemp("", "local-s3-"); err != nil {
			return err
		}
		c.Dir = filepath.Join(c.temporary, "s3")
	}
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return err
	}
	if c.RepoDir == "" {
		if c.RepoDir, err = FindRepo("."); err != nil {
			return err
		}
	}
	c.Addr = cmp.Or(c.Addr, "127.0.0.1:0")
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.TLSDir, err = filepath.Abs(cmp.Or(c.TLSDir, filepath.Join(filepath.Dir(c.Dir), "tls"))); err != nil {
		return err
	}
	return checkLoopback(c.Addr)
}

// checkLoopback refuses to open the machine's files to its network.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("local S3: address %q: want host:port", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("local S3: address %q is not a loopback address", addr)
	}
	return nil
}

var errPortTaken = errors.New("the port is already in use")

// pickAddr turns port 0 into a free port, and finds a taken port before the server is started in vain. The port is
// free again when it returns: the caller tries once more when somebody else was faster.
func pickAddr(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", fmt.Errorf("local S3 on %s: %w; stop what listens there, or choose another address", addr, errPortTaken)
	}
	if err != nil {
		return "", fmt.Errorf("local S3: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// FindRepo looks for the repository's root in dir and upwards: the directory that holds local/go.mod.
func FindRepo(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "local", "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no repository (a directory with local/go.mod) in %s or above", dir)
		}
	}
}

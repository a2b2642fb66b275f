// Package harness runs the local system as a process of its own, for checks that drive it by its ports as a user would,
// and that may kill it.
package harness

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Options say where things are and how the stand-in for Scenario behaves. All but StandInFlags are required.
type Options struct {
	Repo string // the repository
	Dir  string // where the system keeps everything; absolute
	// StandInFlags are flags of the stand-in's command, such as "-job-duration", "100ms".
	StandInFlags []string
}

// Harness is the system under test: `local up`, and a stand-in for Scenario that outlives it.
type Harness struct {
	Options
	Env    map[string]string // as the system's environment file has it
	S3     *s3.Client
	SFN    *sfn.Client
	Memory *Peaks

	scenario         string // URL
	standIn, up      *exec.Cmd
	stopped, watched chan struct{}
}

// New builds the programs and starts nothing.
func New(ctx context.Context, o Options) (*Harness, error) {
	h := &Harness{Options: o, Memory: newPeaks()}
	return h, h.build(ctx)
}

// Start starts the stand-in and the system. Stop ends what it has started, also when it fails.
func (h *Harness) Start(ctx context.Context) error {
	if err := h.StartStandIn(); err != nil {
		return err
	}
	return h.StartUp(ctx)
}

const standInKey, standInSecret = "local-key", "local-secret"

func (h *Harness) program(name string) string { return filepath.Join(h.Dir, "bin", name) }

func (h *Harness) build(ctx context.Context) error {
	for name, from := range map[string][2]string{
		"local":    {filepath.Join(h.Repo, "local"), "."},
		"scenario": {h.Repo, "./scenario/scenariotest/cmd/scenariotest"},
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", h.program(name), from[1])
		cmd.Dir, cmd.Stderr = from[0], os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	return nil
}

// StartStandIn starts Scenario's stand-in on its own: the jobs of a killed system continue there, as at the real Scenario.
func (h *Harness) StartStandIn() error {
	addr := "127.0.0.1:0"
	if u, err := url.Parse(h.scenario); err == nil && u.Host != "" { // it is started again
		addr = u.Host
	}
	h.standIn = exec.Command(h.program("scenario"), append([]string{
		"-addr", addr, "-key", standInKey, "-secret", standInSecret}, h.StandInFlags...)...)
	out, err := h.standIn.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.standIn.Start(); err != nil {
		return err
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	h.scenario = strings.TrimSpace(line)
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return err
}

// RestartStandIn kills the stand-in as a crash would, and starts it again at the same address.
func (h *Harness) RestartStandIn() error {
	if err := h.standIn.Process.Kill(); err != nil {
		return err
	}
	_ = h.standIn.Wait() // it was killed
	return h.StartStandIn()
}

// StartUp starts `local up` and waits for the file with its addresses.
func (h *Harness) StartUp(ctx context.Context) error {
	repo, err := filepath.Abs(h.Repo)
	if err != nil {
		return err
	}
	dir := filepath.Join(h.Dir, "up")
	log, err := os.OpenFile(filepath.Join(h.Dir, "up.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	_ = os.Remove(filepath.Join(dir, "env"))
	h.up = exec.Command(h.program("local"), "up", "-repo", repo, "-dir", dir, "-s3-addr", "127.0.0.1:0",
		"-stepfunctions-addr", "127.0.0.1:0", "-scenario-addr", "127.0.0.1:0", "-api-addr", "127.0.0.1:0")
	h.up.Env = append(os.Environ(), "SCENARIO_BASE_URL="+h.scenario, "SCENARIO_API_KEY="+standInKey, "SCENARIO_API_SECRET="+standInSecret)
	h.up.Stdout, h.up.Stderr = log, log
	if err := h.up.Start(); err != nil {
		return err
	}
	h.stopped, h.watched = make(chan struct{}), make(chan struct{})
	go func(cmd *exec.Cmd, stopped chan struct{}) { _ = cmd.Wait(); close(stopped) }(h.up, h.stopped)
	go func(stopped, watched chan struct{}) {
		h.Memory.watch(stopped, h.up.Process.Pid, h.standIn.Process.Pid)
		close(watched)
	}(h.stopped, h.watched)
	return h.ready(ctx, filepath.Join(dir, "env"))
}

const upWithin = 5 * time.Minute // the first time everything is built

func (h *Harness) ready(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	return h.Wait(ctx, func() (bool, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return false, nil // it is not there yet
		}
		return true, h.connect(string(text))
	})
}

// Stopped is closed when the system has ended.
func (h *Harness) Stopped() <-chan struct{} { return h.stopped }

// BucketDir is the directory of the bucket's objects.
func (h *Harness) BucketDir() string { return filepath.Join(h.Dir, "up", "s3", h.Env["BUCKET"]) }

// connect makes the clients that the environment file describes.
func (h *Harness) connect(text string) error {
	h.Env = map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		h.Env[name] = strings.Trim(value, "'")
	}
	pem, err := os.ReadFile(h.Env["AWS_CA_BUNDLE"])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	keys := credentials.NewStaticCredentialsProvider(h.Env["AWS_ACCESS_KEY_ID"], h.Env["AWS_SECRET_ACCESS_KEY"], "")
	s3URL, sfnURL := h.Env["AWS_ENDPOINT_URL_S3"], h.Env["AWS_ENDPOINT_URL_SFN"]
	h.S3 = s3.New(s3.Options{
		Region: h.Env["AWS_REGION"], BaseEndpoint: &s3URL, UsePathStyle: true, Credentials: keys,
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	})
	h.SFN = sfn.New(sfn.Options{Region: h.Env["AWS_REGION"], BaseEndpoint: &sfnURL, Credentials: keys})
	return nil
}

// Kill ends the system as a crash would. The processes that it started end with it.
func (h *Harness) Kill() error {
	if err := h.up.Process.Kill(); err != nil {
		return err
	}
	<-h.stopped
	<-h.watched
	return nil
}

// Stop interrupts the system and the stand-in, and returns when both have ended.
func (h *Harness) Stop() {
	for _, cmd := range []*exec.Cmd{h.up, h.standIn} {
		if cmd != nil && cmd.Process != nil {
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	if h.stopped != nil {
		<-h.stopped
		<-h.watched
	}
	if h.standIn != nil && h.standIn.Process != nil {
		_ = h.standIn.Wait()
	}
}

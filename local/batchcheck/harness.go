package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// harness is the system under test: the runner, and a stand-in for Scenario that outlives it.
type harness struct {
	options
	memory           *peaks
	standIn, up      *exec.Cmd
	scenario         string // URL
	env              map[string]string
	s3               *s3.Client
	sfn              *sfn.Client
	stopped, watched chan struct{}
}

const standInKey, standInSecret = "local-key", "local-secret"

func (h *harness) program(name string) string { return filepath.Join(h.dir, "bin", name) }

func (h *harness) build(ctx context.Context) error {
	for name, from := range map[string][2]string{
		"local":    {filepath.Join(h.repo, "local"), "."},
		"scenario": {h.repo, "./scenario/scenariotest/cmd/scenariotest"},
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

// startStandIn starts Scenario's stand-in on its own: what a killed runner asked for goes on there, as with the real one.
func (h *harness) startStandIn() error {
	h.standIn = exec.Command(h.program("scenario"), "-addr", "127.0.0.1:0", "-key", standInKey, "-secret", standInSecret,
		"-max-jobs", fmt.Sprint(h.ceiling), "-job-duration", h.job.String())
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

// startUp starts `local up` and waits for the file with its addresses.
func (h *harness) startUp(ctx context.Context) error {
	repo, err := filepath.Abs(h.repo)
	if err != nil {
		return err
	}
	dir := filepath.Join(h.dir, "up")
	log, err := os.OpenFile(filepath.Join(h.dir, "up.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
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
		h.memory.watch(stopped, h.up.Process.Pid, h.standIn.Process.Pid)
		close(watched)
	}(h.stopped, h.watched)
	return h.ready(ctx, filepath.Join(dir, "env"))
}

const upWithin = 5 * time.Minute // the first time everything is built

func (h *harness) ready(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			return h.connect(string(text))
		}
		select {
		case <-h.stopped:
			return errors.New("the system did not start; see up.log (-dir keeps it)")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// connect makes the clients that the environment file describes.
func (h *harness) connect(text string) error {
	h.env = map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		h.env[name] = strings.Trim(value, "'")
	}
	pem, err := os.ReadFile(h.env["AWS_CA_BUNDLE"])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	keys := credentials.NewStaticCredentialsProvider(h.env["AWS_ACCESS_KEY_ID"], h.env["AWS_SECRET_ACCESS_KEY"], "")
	s3URL, sfnURL := h.env["AWS_ENDPOINT_URL_S3"], h.env["AWS_ENDPOINT_URL_SFN"]
	h.s3 = s3.New(s3.Options{
		Region: h.env["AWS_REGION"], BaseEndpoint: &s3URL, UsePathStyle: true, Credentials: keys,
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	})
	h.sfn = sfn.New(sfn.Options{Region: h.env["AWS_REGION"], BaseEndpoint: &sfnURL, Credentials: keys})
	return nil
}

// kill ends the runner as a crash would. The processes that it started end with it.
func (h *harness) kill() error {
	if err := h.up.Process.Kill(); err != nil {
		return err
	}
	<-h.stopped
	<-h.watched
	return nil
}

func (h *harness) stop() {
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

// jobs is how many jobs the stand-in has been asked for so far.
func (h *harness) jobs(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(h.scenario, "/v1")+"/_test/jobs", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct{ Jobs []json.RawMessage }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return len(answer.Jobs), err
}

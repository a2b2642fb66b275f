// Package harness runs the local system as a process of its own, for checks that drive it by its ports as a user would,
// and that may kill it.
package harness

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/emulator/build"
	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
	"github.com/scenario-archive/scenario-archive/local/system"
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

	scenario    string // URL
	standIn, up *exec.Cmd
	stopped     chan struct{}
}

// New builds the programs, and starts the stand-in and the system. Stop ends them.
func New(ctx context.Context, o Options) (*Harness, error) {
	h := &Harness{Options: o, Memory: newPeaks()}
	err := h.build(ctx)
	if err == nil {
		err = h.startStandIn()
	}
	if err == nil {
		err = h.StartUp(ctx)
	}
	if err != nil {
		h.Stop()
		return nil, err
	}
	return h, nil
}

const standInKey, standInSecret = "local-key", "local-secret"

func (h *Harness) program(name string) string { return filepath.Join(h.Dir, "bin", name) }

func (h *Harness) build(ctx context.Context) error {
	for repo, program := range map[string]string{
		filepath.Join(h.Repo, "local"): ".", h.Repo: "./scenario/scenariotest/cmd/scenariotest",
	} {
		if err := build.Run(ctx, build.Options{Repo: repo, BinDir: filepath.Join(h.Dir, "bin"), Packages: []string{program}}); err != nil {
			return err
		}
	}
	return nil
}

// startStandIn starts Scenario's stand-in on its own: the jobs of a killed system continue there, as at the real Scenario.
func (h *Harness) startStandIn() error {
	addr := "127.0.0.1:0"
	if u, err := url.Parse(h.scenario); err == nil && u.Host != "" { // it is started again
		addr = u.Host
	}
	h.standIn = exec.Command(h.program("scenariotest"), append([]string{
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
	return h.startStandIn()
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
	h.stopped = make(chan struct{})
	go h.watch(h.up, h.stopped)
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	return h.Wait(ctx, func() (bool, error) {
		if h.Env, err = system.ReadEnvironment(dir); err != nil {
			return false, nil // it is not there yet
		}
		return true, h.connect()
	})
}

const upWithin = 5 * time.Minute // the first time everything is built

// watch looks at the memory of the processes until the system has ended.
func (h *Harness) watch(up *exec.Cmd, stopped chan struct{}) {
	defer close(stopped)
	ended := make(chan struct{})
	var watching sync.WaitGroup
	roots := []int{up.Process.Pid, h.standIn.Process.Pid}
	watching.Go(func() { h.Memory.watch(ended, roots...) })
	_ = up.Wait()
	close(ended)
	watching.Wait()
}

// Stopped is closed when the system has ended.
func (h *Harness) Stopped() <-chan struct{} { return h.stopped }

// BucketDir is the directory of the bucket's objects.
func (h *Harness) BucketDir() string { return filepath.Join(h.Dir, "up", "s3", h.Env["BUCKET"]) }

// connect makes the clients that the environment file describes.
func (h *Harness) connect() (err error) {
	h.S3, _, err = emulator.Access{
		Endpoint: h.Env["AWS_ENDPOINT_URL_S3"], CAFile: h.Env["AWS_CA_BUNDLE"], Region: h.Env["AWS_REGION"],
		AccessKeyID: h.Env["AWS_ACCESS_KEY_ID"], SecretAccessKey: h.Env["AWS_SECRET_ACCESS_KEY"],
	}.Connect(0)
	if err == nil {
		o := h.S3.Options()
		h.SFN = sfn.New(sfn.Options{Region: o.Region, BaseEndpoint: aws.String(h.Env["AWS_ENDPOINT_URL_SFN"]), Credentials: o.Credentials})
	}
	return err
}

// Kill ends the system as a crash would. The processes that it started end with it.
func (h *Harness) Kill() error {
	if err := h.up.Process.Kill(); err != nil {
		return err
	}
	<-h.stopped
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
	}
	if h.standIn != nil && h.standIn.Process != nil {
		_ = h.standIn.Wait()
	}
}

package system

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// How the stand-in plays Scenario for a person: long enough to see the job's states, short enough not to wait; files
// large enough to see them move.
var standInFlags = []string{"-job-duration", "3s", "-asset-size", "1MiB"}

const (
	standInStart = 20 * time.Second
	stopGrace    = 3 * time.Second
)

// startStandIn starts the server that behaves like Scenario and waits for the line with its URL.
func (s *System) startStandIn(ctx context.Context) error {
	log, err := s.logs.open("scenario")
	if err != nil {
		return err
	}
	args := append([]string{"-addr", s.options.StandIn.Addr, "-key", standInKey, "-secret", standInSecret}, standInFlags...)
	if s.options.ExecutionsDir != "" { // executions that go on want their jobs
		args = append(args, "-state", filepath.Join(s.dir, "scenario"))
	}
	args = append(args, s.options.StandInFlags...)
	cmd := exec.Command(s.programs().Binary(standInPackage), args...)
	cmd.Env = []string{"TMPDIR=" + s.temp}
	cmd.Stderr = log
	cmd.WaitDelay = time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(cmd); err != nil {
		return fmt.Errorf("start the Scenario stand-in: %w", err)
	}
	exited := make(chan struct{})
	ready := make(chan string, 1)
	go func() {
		defer close(exited)
		r := bufio.NewReader(stdout)
		line, _ := r.ReadString('\n')
		ready <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r) // so that the process never blocks on it
		_ = cmd.Wait()                // only now: it closes the pipe
		s.report(fmt.Errorf("the Scenario stand-in has ended by itself; see %s", log.Name()))
	}()
	s.onClose(func() { process.Stop(cmd, exited, stopGrace) })
	ctx, cancel := context.WithTimeoutCause(ctx, standInStart, errors.New("it said nothing in time"))
	defer cancel()
	url := ""
	select {
	case url = <-ready:
		if url == "" {
			err = errors.New("it ended at once")
		}
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("the Scenario stand-in did not start: %w; see %s", err, log.Name())
	}
	s.Scenario = Scenario{url, standInKey, standInSecret}
	return nil
}

package system

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
)

// Scenario is the API that the functions call, and the credentials for it.
type Scenario struct{ BaseURL, Key, Secret string }

// DefaultBaseURL is the public API.
const DefaultBaseURL = "https://api.cloud.scenario.com/v1"

const bothOrNeither = "set both for the real Scenario, or neither for the stand-in"

// The stand-in's credentials, which protect nothing.
const (
	standInKey    = "local-key"
	standInSecret = "local-secret"
)

// ScenarioFromEnvironment returns what the person has set: the real API when there are a key and a secret, another base
// URL when there is one, or the zero value for the stand-in.
func ScenarioFromEnvironment(getenv func(string) string) (Scenario, error) {
	s := Scenario{getenv("SCENARIO_BASE_URL"), getenv("SCENARIO_API_KEY"), getenv("SCENARIO_API_SECRET")}
	switch {
	case s.Key != "" && s.Secret == "":
		return Scenario{}, errors.New("SCENARIO_API_KEY is set and SCENARIO_API_SECRET is not: " + bothOrNeither)
	case s.Key == "" && s.Secret != "":
		return Scenario{}, errors.New("SCENARIO_API_SECRET is set and SCENARIO_API_KEY is not: " + bothOrNeither)
	case s == Scenario{}:
		return s, nil
	case s.BaseURL == "":
		s.BaseURL = DefaultBaseURL
	case s.Key == "": // another stand-in
		s.Key, s.Secret = standInKey, standInSecret
	}
	return s, s.check()
}

func (s Scenario) check() error {
	u, err := url.Parse(s.BaseURL)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("SCENARIO_BASE_URL is not a URL such as %s", DefaultBaseURL)
	}
	return nil
}

// Public says whether it is Scenario's own, where the sample request's assets do not exist.
func (s Scenario) Public() bool {
	u, err := url.Parse(s.BaseURL)
	return err == nil && (u.Hostname() == "scenario.com" || strings.HasSuffix(u.Hostname(), ".scenario.com"))
}

// loopbackHTTP says whether archives may come from this machine, by plain http: then, and only then, Scenario is
// somebody's stand-in.
func (s Scenario) loopbackHTTP() bool {
	u, err := url.Parse(s.BaseURL)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

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

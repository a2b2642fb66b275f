// Package system puts the whole on one machine together: S3 on disk over TLS, Scenario or its stand-in, the real
// function binaries, and the state machines' definitions as they are deployed. Everything listens on loopback only, and
// nothing is left running or lying about when it is closed.
package system

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
	"github.com/scenario-archive/scenario-archive/internal/emulator/process"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3"
	stepfunctions "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
	"github.com/scenario-archive/scenario-archive/local/display"
)

// What things are called here.
const (
	Bucket         = "archive"
	ArchiveMachine = "archive"
	BatchMachine   = "batch"
	SyncMachine    = "sync"
)

// Options says what to start. Repo, Dir, Screen and the addresses are required.
type Options struct {
	// Repo is the root of the repository.
	Repo string
	// Dir is where the system keeps its things.
	Dir string
	// BinDir is where the programs go that are built from this repository. Default bin in Dir.
	BinDir string
	// S3, StandIn and StepFunctions say where the parts listen. StepFunctions with an empty Addr is not served.
	S3, StandIn, StepFunctions Address
	// Scenario is what to use instead of the stand-in, when BaseURL is set.
	Scenario Scenario
	// StandInFlags are more flags for the stand-in's command; they win over the usual ones.
	StandInFlags []string
	// ExecutionsDir keeps the executions, below Dir; those that were running go on. Empty: they are forgotten when the
	// system is closed, and what a killed one has left is removed by AbandonLeft.
	ExecutionsDir string
	// API says where the HTTP API listens. With an empty Addr neither it nor the inbox for dropped requests runs. It needs
	// StepFunctions to be served.
	API Address
	// Screen shows what takes long.
	Screen *display.Screen
}

// System is all of it, running.
type System struct {
	S3               *s3.Server
	Functions        *lambda.Service
	StepFunctions    *stepfunctions.Service
	StepFunctionsURL string // empty when it is not served
	APIURL           string // the same
	Scenario         Scenario
	StandIn          bool // whether Scenario is the stand-in
	LogDir           string

	options       Options
	dir           string
	served        []stepfunctions.MachineConfig
	entry         *lambda.Service // the functions that start executions
	stepFunctions net.Listener    // nil when it is not served
	progress      progress
	temp          string
	logs          *logFiles
	closers       []func() // run last first
	broken        chan error
}

// Start builds what is not built, and starts everything. ctx bounds the start alone.
func Start(ctx context.Context, o Options) (_ *System, err error) {
	o.BinDir = cmp.Or(o.BinDir, filepath.Join(o.Dir, "bin"))
	s := &System{options: o, dir: o.Dir, Scenario: o.Scenario, broken: make(chan error, 2)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.buildAndStartS3(ctx); err != nil {
		return nil, err
	}
	if s.StandIn {
		if err := s.startStandIn(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	if s.Functions, err = s.startFunctions(functionNames(s.served), s.function, 0); err != nil {
		return nil, err
	}
	if err := s.startStepFunctions(); err != nil {
		return nil, err
	}
	return s, s.startAPI()
}

// prepare locks the directory and checks early what would fail late.
func (s *System) prepare() error {
	lock, err := takeLock(s.dir)
	if err != nil {
		return err
	}
	s.onClose(func() { _ = lock.Close() })
	s.StandIn = s.options.Scenario.BaseURL == ""
	if s.served, err = s.definitions(); err != nil {
		return err
	}
	for _, a := range s.addresses() {
		if err := a.check(); err != nil {
			return err
		}
	}
	_ = os.Remove(s.EnvironmentFile()) // of a system that was killed
	s.temp = filepath.Join(s.dir, "tmp")
	if err := os.RemoveAll(s.temp); err != nil { // the same
		return err
	}
	if err := os.MkdirAll(s.temp, 0o700); err != nil {
		return err
	}
	s.onClose(func() { _ = os.RemoveAll(s.temp) })
	s.LogDir = filepath.Join(s.dir, "logs")
	if s.logs, err = newLogFiles(s.LogDir); err != nil {
		return err
	}
	s.onClose(s.logs.close)
	return nil
}

// takeLock keeps a second system off the same directory, until the file is closed.
func takeLock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", dir, err)
	}
	path := filepath.Join(dir, "lock")
	file, err := process.TryLock(path)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		holder, _ := os.ReadFile(path)
		return nil, fmt.Errorf("%s is in use by process %s: another `make run` or `make up` is at work. Wait for it, or stop it "+
			"with Ctrl-C where it runs", dir, cmp.Or(strings.TrimSpace(string(holder)), "(unknown)"))
	case err != nil:
		return nil, fmt.Errorf("%s cannot be used: %w", dir, err)
	}
	if err = file.Truncate(0); err == nil {
		_, err = fmt.Fprintln(file, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (s *System) addresses() []Address {
	list := []Address{s.options.S3}
	if s.StandIn {
		list = append(list, s.options.StandIn)
	}
	if s.options.StepFunctions.Addr != "" {
		list = append(list, s.options.StepFunctions)
	}
	if s.options.API.Addr != "" {
		list = append(list, s.options.API)
	}
	return list
}

// listen reserves the address of Step Functions: a function that asks it must know the address before it runs.
func (s *System) listen() error {
	if s.options.StepFunctions.Addr == "" {
		return nil
	}
	listener, err := s.options.StepFunctions.listen()
	if err != nil {
		return err
	}
	s.stepFunctions, s.StepFunctionsURL = listener, "http://"+listener.Addr().String()
	s.onClose(func() { _ = listener.Close() })
	return nil
}

// startFunctions starts functions as describe describes them. queueTime is that of lambda.Options.
func (s *System) startFunctions(names []string, describe func(name string) lambda.Function, queueTime time.Duration) (*lambda.Service, error) {
	o := lambda.Options{Log: s.functionLine, TempDir: s.temp, QueueTime: queueTime}
	for _, name := range names {
		o.Functions = append(o.Functions, describe(name))
	}
	service, err := lambda.New(o)
	if err == nil {
		s.onClose(func() { _ = service.Close() })
	}
	return service, err
}

// serveOn answers HTTP until Close.
func (s *System) serveOn(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	s.onClose(func() { _ = server.Close() })
}

// Broken gets an error when a server has ended by itself. After Close it means nothing.
func (s *System) Broken() <-chan error { return s.broken }

func (s *System) report(err error) {
	select {
	case s.broken <- err:
	default:
	}
}

func (s *System) onClose(f func()) { s.closers = append(s.closers, f) }

// Close stops everything in order and returns when no process of it is left. The environment file goes first: nobody
// should find it and try.
func (s *System) Close() {
	if len(s.closers) > 0 {
		_ = os.Remove(s.EnvironmentFile())
	}
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		f := s.closers[last]
		s.closers = s.closers[:last]
		f()
	}
}

// ObjectPath is the file of an object.
func (s *System) ObjectPath(bucket, key string) string {
	return filepath.Join(s.dir, "s3", bucket, filepath.FromSlash(key))
}

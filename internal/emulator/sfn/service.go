// Package sfn serves the part of the AWS Step Functions API that runs and shows executions, with the
// executor of package asl behind it and append-only files as its memory.
package sfn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// MachineConfig is a state machine to serve.
type MachineConfig struct {
	Name       string
	Definition []byte // as [Substitute] gives it
}

// Config says what to serve. Zero values mean the documented defaults.
type Config struct {
	Machines []MachineConfig
	Invoker  Invoker   // calls the functions of lambda:invoke tasks; nil: there are none
	Objects  Objects   // S3, for distributed Map states that read or write there; nil: none
	Dir      string    // where executions are kept; one Service at a time. Required
	Clock    asl.Clock // default the real time
	Jitter   func() float64
	Logger   *slog.Logger // default: discards
}

// Execution is what DescribeExecution answers, and in part ListExecutions.
type Execution struct {
	ARN             string          `json:"executionArn"`
	Name            string          `json:"name"`
	StateMachineARN string          `json:"stateMachineArn"`
	Status          asl.Status      `json:"status"`
	StartDate       Timestamp       `json:"startDate"`
	StopDate        Timestamp       `json:"stopDate,omitzero"` // zero while it runs
	Input           json.RawMessage `json:"-"`
	Output          json.RawMessage `json:"-"`
	Error           string          `json:"error,omitempty"`
	Cause           string          `json:"cause,omitempty"`

	RedriveCount        int       `json:"redriveCount"`
	RedriveDate         Timestamp `json:"redriveDate,omitzero"`    // zero: never
	RedriveStatus       string    `json:"redriveStatus,omitempty"` // only of Describe
	RedriveStatusReason string    `json:"redriveStatusReason,omitempty"`

	MapRunARN string `json:"mapRunArn,omitempty"` // of a Map Run's child
}

// Update is a history event of one execution.
type Update struct {
	ExecutionARN string
	MapRunARN    string // of a Map Run's child
	ParentARN    string // of a Map Run's child: the execution whose Map Run it is
	Event        asl.Event
}

// Service runs executions and answers the API. Use it as the http.Handler of a loopback listener.
type Service struct {
	executor *asl.Executor
	clock    asl.Clock
	log      *slog.Logger
	machines []*machine
	objects  Objects
	dir      string
	lock     *os.File // of the directory

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup

	starting sync.Mutex // held from the look for a name to its file
	mu       sync.Mutex // guards what follows, and the fields of machines and executions that change
	closed   bool
	byARN    map[string]*execution
	runs     map[string]*mapRun // by ARN
	subs     map[int]func(Update)
	nextSub  int
}

// machine is a state machine with its executions, oldest first; or what a Map Run's children are executions of.
type machine struct {
	name, arn  string
	dir        string // of the executions' files
	parsed     *asl.Machine
	executions []*execution
	byName     map[string]*execution
	run        *mapRun // nil: it is a machine of its own
}

// New loads the executions kept in c.Dir and resumes those that were running.
func New(c Config) (*Service, error) {
	s := &Service{
		clock: cmp.Or[asl.Clock](c.Clock, asl.ScaledClock{}), log: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)),
		objects: c.Objects, dir: c.Dir,
		byARN: map[string]*execution{}, runs: map[string]*mapRun{}, subs: map[int]func(Update){},
	}
	runners := asl.Runners{asl.StartExecutionResource: executionRunner{s}}
	if c.Invoker != nil {
		runners[asl.LambdaInvokeResource] = lambdaRunner{c.Invoker}
	}
	s.executor = &asl.Executor{Runners: runners, Clock: s.clock, Jitter: c.Jitter, MapRunner: s}
	if c.Objects != nil {
		s.executor.Objects = c.Objects
	}
	for _, m := range c.Machines {
		if err := s.addMachine(m); err != nil {
			return nil, fmt.Errorf("state machine %s: %w", m.Name, err)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

func (s *Service) addMachine(c MachineConfig) error {
	if !validName(c.Name) {
		return fmt.Errorf("%q is not a valid name", c.Name)
	}
	m := s.newMachine(c.Name, filepath.Join(s.dir, fileName(c.Name)))
	if s.machine(m.arn) != nil {
		return errors.New("there are two of this name")
	}
	var err error
	if m.parsed, err = asl.Parse(c.Definition); err == nil {
		err = s.executor.Check(m.parsed)
	}
	s.machines = append(s.machines, m)
	return err
}

func (s *Service) newMachine(name, dir string) *machine {
	return &machine{name: name, arn: s.MachineARN(name), dir: dir, byName: map[string]*execution{}}
}

// open takes the directory and goes on with what is in it.
func (s *Service) open() (err error) {
	if s.lock, err = lockDir(s.dir); err != nil {
		return err
	}
	for _, m := range s.machines {
		err := s.load(m)
		if err == nil {
			err = s.loadRuns(m)
		}
		if err != nil {
			return errors.Join(err, s.lock.Close())
		}
	}
	s.resumeAll()
	return nil
}

// resumeAll goes on with what ran when the last process ended. A Map Run's children go on with it.
func (s *Service) resumeAll() {
	orphans := s.orphans() // before anything can end
	for _, m := range s.machines {
		for _, e := range m.executions {
			if e.status == asl.StatusRunning {
				s.resume(e)
			}
		}
	}
	for _, r := range orphans {
		r.abort()
	}
}

// Close interrupts what runs, so that the next New on the same directory resumes it, and frees the directory.
func (s *Service) Close() error {
	s.starting.Lock() // what is being started runs, or sees that it is too late
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	s.starting.Unlock()
	if closed {
		return nil
	}
	s.cancel()
	s.running.Wait()
	return s.lock.Close()
}

// MachineARN is the ARN of the machine of that name.
func (s *Service) MachineARN(name string) string { return arnPrefix + "stateMachine:" + name }

func (s *Service) machine(arn string) *machine {
	for _, m := range s.machines {
		if m.arn == arn {
			return m
		}
	}
	return nil
}

// Subscribe calls f with each event of every execution from now on, in order for each execution, until cancel is
// called. f is called from the executions' own goroutines: it must return fast.
func (s *Service) Subscribe(f func(Update)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextSub
	s.nextSub++
	s.subs[id] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, id)
	}
}

func (s *Service) publish(u Update) {
	s.mu.Lock()
	subs := slices.Collect(maps.Values(s.subs))
	s.mu.Unlock()
	for _, f := range subs {
		f(u)
	}
}

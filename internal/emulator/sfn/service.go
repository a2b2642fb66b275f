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
	Invoker  Invoker     // calls the functions of lambda:invoke tasks
	Runners  asl.Runners // further resources, or instead of Invoker
	Objects  Objects     // S3, for distributed Map states that read or write there; nil: none
	Dir      string      // where executions are kept; one Service at a time. Required
	Region   string      // default us-east-1
	Account  string      // default 000000000000
	Clock    asl.Clock   // default the real time
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
	arns     arns
	executor *asl.Executor
	clock    asl.Clock
	log      *slog.Logger
	machines []*machine
	objects  Objects
	store    *store

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
	parsed     *asl.Machine
	executions []*execution
	byName     map[string]*execution
	run        *mapRun // nil: it is a machine of its own
}

// New loads the executions kept in c.Dir and resumes those that were running.
func New(c Config) (*Service, error) {
	s := &Service{
		arns:  arns{region: cmp.Or(c.Region, "us-east-1"), account: cmp.Or(c.Account, "000000000000")},
		clock: c.Clock, log: c.Logger, subs: map[int]func(Update){}, objects: c.Objects,
		byARN: map[string]*execution{}, runs: map[string]*mapRun{},
	}
	if s.clock == nil {
		s.clock = asl.ScaledClock{}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	runners := asl.Runners{asl.StartExecutionResource: executionRunner{s}}
	if c.Invoker != nil {
		runners[asl.LambdaInvokeResource] = LambdaRunner(c.Invoker)
	}
	for resource, r := range c.Runners {
		runners[resource] = r
	}
	s.executor = &asl.Executor{Runners: runners, Clock: s.clock, Jitter: c.Jitter, Region: s.arns.region, MapRunner: s}
	if c.Objects != nil {
		s.executor.Objects = c.Objects
	}
	for _, m := range c.Machines {
		if err := s.addMachine(m); err != nil {
			return nil, fmt.Errorf("state machine %s: %w", m.Name, err)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(c.Dir); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

func (s *Service) addMachine(c MachineConfig) error {
	if !validName(c.Name) {
		return fmt.Errorf("%q is not a valid name", c.Name)
	}
	arn := s.arns.machine(c.Name)
	if s.machine(arn) != nil {
		return errors.New("there are two of this name")
	}
	parsed, err := asl.Parse(c.Definition)
	if err == nil {
		err = s.executor.Check(parsed)
	}
	if err != nil {
		return err
	}
	s.machines = append(s.machines, &machine{
		name: c.Name, arn: arn, parsed: parsed,
		byName: map[string]*execution{},
	})
	return nil
}

// open takes the directory and goes on with what is in it.
func (s *Service) open(dir string) error {
	if dir == "" {
		return errors.New("no directory to keep executions in")
	}
	st, err := openStore(dir)
	if err != nil {
		return err
	}
	s.store = st
	for _, m := range s.machines {
		err := s.load(m)
		if err == nil {
			err = s.loadRuns(m)
		}
		if err != nil {
			return errors.Join(err, st.close())
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
	return s.store.close()
}

// MachineARN is the ARN of the machine of that name.
func (s *Service) MachineARN(name string) string { return s.arns.machine(name) }

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
	subs := make([]func(Update), 0, len(s.subs))
	for _, f := range s.subs {
		subs = append(subs, f)
	}
	s.mu.Unlock()
	for _, f := range subs {
		f(u)
	}
}

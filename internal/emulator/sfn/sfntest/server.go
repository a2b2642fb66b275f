// Package sfntest serves Step Functions in a test's own process: the emulator itself, with Lambda played by the test,
// and with the faults and late answers of AWS between it and its clients. It opens a port only when URL is asked for,
// so that it also runs in a bubble of testing/synctest, where days of waiting take no time.
package sfntest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/sfn"
)

// MachineARN and BatchMachineARN are the state machines that are served when a test names no others: those of the
// project's own definitions.
const (
	MachineARN      = arnPrefix + "archive"
	BatchMachineARN = arnPrefix + "batch"
)

const arnPrefix = "arn:aws:states:us-east-1:000000000000:stateMachine:"

// Server is Step Functions for one test.
type Server struct {
	*emulator.Service
	Objects  *Objects // the S3 of distributed Map states
	dir      string
	machines []string // ARNs
	script   *script  // plays Lambda
	limits   *limits

	mu     sync.Mutex // guards what follows
	calls  map[string]int
	fault  func(operation string) *Fault
	hidden map[string]int // by execution: so many descriptions find nothing
	server *httptest.Server
}

// Option changes how the emulator is made.
type Option func(*emulator.Config)

// WithLambda has i, such as a [Lambda], answer every call of a function, instead of [Server.Answer] and the like.
func WithLambda(i emulator.Invoker) Option {
	return func(c *emulator.Config) { c.Invoker = i }
}

// WithMachines serves these state machines and no others.
func WithMachines(machines ...emulator.MachineConfig) Option {
	return func(c *emulator.Config) { c.Machines = machines }
}

// InFullLength has every wait take as long as the definition says. It is meant for a bubble of testing/synctest: without
// it, waits take a thousandth of their time, and retries none.
func InFullLength(c *emulator.Config) { c.Clock, c.Jitter = nil, nil }

// New serves the project's machines, or those of the options, until Close.
func New(options ...Option) (*Server, error) {
	dir, err := os.MkdirTemp("", "sfntest")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, Objects: &Objects{}, script: newScript(), limits: &limits{}, calls: map[string]int{}, hidden: map[string]int{}}
	c := emulator.Config{
		Dir: dir, Invoker: Lambda(s.script.invoke), Clock: s.limits, Jitter: func() float64 { return 0 }, Objects: s.Objects,
	}
	for _, change := range options {
		change(&c)
	}
	if c.Machines == nil {
		c.Machines, err = projectMachines()
	}
	for _, m := range c.Machines {
		s.machines = append(s.machines, arnPrefix+m.Name)
	}
	if err == nil {
		s.Service, err = emulator.New(c)
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	s.Subscribe(s.script.observe)
	return s, nil
}

// Start is New for a test, with which it ends.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Close ends what runs, and the server of URL, and removes what was kept.
func (s *Server) Close() error {
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	if server != nil {
		server.Close()
	}
	return errors.Join(s.Service.Close(), os.RemoveAll(s.dir))
}

// URL is where another process reaches the service.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		s.server = httptest.NewServer(s)
	}
	return s.server.URL
}

// Client is a client of the service within this process, which tries each call once.
func (s *Server) Client() *sfn.Client {
	return sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://localhost"), Retryer: aws.NopRetryer{}, HTTPClient: inProcess{s},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

// Definition reads one of the project's definitions, such as archive.asl.json, as the deployment would: the placeholder
// ${XFunctionArn} becomes the function x, ${XStateMachineArn} the machine x.
func Definition(file string) ([]byte, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "statemachine", file))
	if err != nil {
		return nil, err
	}
	return emulator.Substitute(text, substitution)
}

func projectMachines() ([]emulator.MachineConfig, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "statemachine", "*"+definitionSuffix))
	if err != nil {
		return nil, err
	}
	var all []emulator.MachineConfig
	for _, file := range files {
		text, err := Definition(filepath.Base(file))
		if err != nil {
			return nil, err
		}
		all = append(all, emulator.MachineConfig{Name: strings.TrimSuffix(filepath.Base(file), definitionSuffix), Definition: text})
	}
	return all, nil
}

const definitionSuffix = ".asl.json"

// repository is the directory of the checkout: tests run in their package's directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "statemachine", "archive.asl.json")); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = fmt.Errorf("no directory above has statemachine/archive.asl.json")
		}
	}
	return "", err
}

// ended waits until the execution of that name has ended.
func (s *Server) ended(name string) error {
	e, err := s.execution(name)
	if err != nil {
		return err
	}
	ctx, cancel := withLimit()
	defer cancel()
	_, err = s.Wait(ctx, e.ARN)
	return err
}

// hang is when a test that waits for something gives up. Nothing comes near it.
const hang = time.Minute

// inProcess calls the service without a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) Do(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			answer, err = nil, fmt.Errorf("the connection was broken off: %v", broken)
		}
	}()
	r = r.Clone(r.Context())
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

package sfn

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// invokerFunc is an Invoker.
type invokerFunc func(ctx context.Context, function string, payload []byte) ([]byte, string, error)

func (f invokerFunc) Invoke(ctx context.Context, function string, payload []byte) ([]byte, string, error) {
	return f(ctx, function, payload)
}

// echoPayload answers with the payload.
func echoPayload(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
	return payload, "", nil
}

const (
	passDefinition   = `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`
	waitDefinition   = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}`
	lambdaDefinition = `{"StartAt":"A","States":{
		"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"first","Payload.$":"$"},"OutputPath":"$.Payload","Next":"B"},
		"B":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"second","Payload.$":"$"},"OutputPath":"$.Payload","End":true}}}`
)

// machines are served by the names p, w and l.
func testConfig(dir string, i Invoker) Config {
	return Config{
		Dir: dir, Invoker: i, Clock: asl.ScaledClock{Waits: 0.001},
		Machines: []MachineConfig{
			{"p", []byte(passDefinition)}, {"w", []byte(waitDefinition)}, {"l", []byte(lambdaDefinition)},
		},
	}
}

func newService(t *testing.T, c Config) *Service {
	t.Helper()
	s, err := New(c)
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

// serve is a service with AWS's own client for it.
func serve(t *testing.T, c Config) (*Service, *sfn.Client) {
	t.Helper()
	s := newService(t, c)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, sfn.New(sfn.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", RetryMaxAttempts: 1, HTTPClient: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "key"}, nil
		}),
	})
}

func start(t *testing.T, s *Service, machine, name, input string) Execution {
	t.Helper()
	e, err := s.Start(s.MachineARN(machine), name, []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func wait(t *testing.T, s *Service, arn string) Execution {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e, err := s.Wait(ctx, arn)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	var own *APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == code:
	case errors.As(err, &own) && own.Code == code:
	default:
		t.Errorf("got %v, want %s", err, code)
	}
}

// eventLog gathers what a service publishes.
type eventLog struct {
	mu     sync.Mutex
	events map[string][]asl.Event
}

func (l *eventLog) add(u Update) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == nil {
		l.events = map[string][]asl.Event{}
	}
	l.events[u.ExecutionARN] = append(l.events[u.ExecutionARN], u.Event)
}

func (l *eventLog) types(arn string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []asl.EventType
	for _, e := range l.events[arn] {
		all = append(all, e.Type)
	}
	return fmt.Sprint(all)
}

package lambda_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
)

// The test binary is also the function that the tests run: a real process on the real aws-lambda-go, started again with
// this variable set.
const role = "TEST_FUNCTION_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "function":
		awslambda.Start(handle)
	case "exits in init":
		fmt.Fprintln(os.Stderr, "cannot find my configuration")
		os.Exit(3)
	case "parent":
		runParent()
	}
}

type event struct {
	Op      string `json:"op"`
	Value   string `json:"value,omitempty"`
	Size    int    `json:"size,omitempty"`
	Address string `json:"address,omitempty"`
}

type reply struct {
	Value       string    `json:"value,omitempty"`
	PID         int       `json:"pid"`
	Invocations int64     `json:"invocations"`
	RequestID   string    `json:"requestId"`
	ARN         string    `json:"arn"`
	TraceID     string    `json:"traceId"`
	Deadline    time.Time `json:"deadline"`
	Environment []string  `json:"environment,omitempty"`
	Directory   string    `json:"directory,omitempty"`
}

// BadRequest is an error type whose name must reach the caller.
type BadRequest struct{ Reason string }

func (e BadRequest) Error() string { return e.Reason }

var invocations atomic.Int64

func handle(ctx context.Context, e event) (any, error) {
	r := reply{PID: os.Getpid(), Invocations: invocations.Add(1), TraceID: os.Getenv("_X_AMZN_TRACE_ID")}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.RequestID, r.ARN = lc.AwsRequestID, lc.InvokedFunctionArn
	}
	r.Deadline, _ = ctx.Deadline()
	switch e.Op {
	case "environment":
		r.Environment = os.Environ()
		r.Directory, _ = os.Getwd()
	case "print":
		fmt.Fprint(os.Stderr, e.Value)
		fmt.Fprintln(os.Stdout, "on stdout")
	case "fail":
		return nil, BadRequest{e.Value}
	case "panic":
		panic(e.Value)
	case "exit":
		os.Exit(e.Size)
	case "hang":
		announce(e.Address)
		select {}
	case "wait": // until the other side closes the connection
		announceAndWait(e.Address)
	case "big":
		return strings.Repeat("x", e.Size), nil
	case "leave a child":
		return leaveChild()
	case "temp file":
		r.Value = os.TempDir()
		return r, os.WriteFile(os.TempDir()+"/left", []byte("x"), 0o600)
	}
	if r.Value == "" {
		r.Value = e.Value
	}
	return r, nil
}

// announce signals to the test that the invocation is under way.
func announce(address string) net.Conn {
	c, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	return c
}

func announceAndWait(address string) {
	c := announce(address)
	defer c.Close()
	_, _ = c.Read(make([]byte, 1))
}

// leaveChild starts a grandchild of the service that holds standard error and never ends.
func leaveChild() (any, error) {
	cmd := exec.Command("sleep", "1000")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return reply{PID: cmd.Process.Pid}, nil
}

// runParent is a service with one invocation under way, for the test that kills it.
func runParent() {
	service, err := lambda.New(lambda.Options{Functions: []lambda.Function{{
		Name: "hang", Binary: os.Args[0], Env: map[string]string{role: "function"}, Timeout: time.Hour,
	}}})
	if err != nil {
		panic(err)
	}
	_, _, _ = service.Invoke(context.Background(), "hang", []byte(os.Getenv("TEST_EVENT")))
}

package executions

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func machine(t *testing.T, options ...sfntest.Option) (*Machine, *sfntest.Server) {
	t.Helper()
	s := sfntest.Start(t, options...)
	m, err := New(s.Client(), sfntest.MachineARN)
	if err != nil {
		t.Fatal(err)
	}
	return m, s
}

const one, two = `{"query":{"assetIds":["a"]},"options":{},"destination":{}}`, `{"query":{"assetIds":["b"]},"options":{},"destination":{}}`

func start(t *testing.T, m *Machine, name string) Execution {
	t.Helper()
	e, err := m.Start(t.Context(), name, one)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNewRefusesWhatIsNoARN(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{"", "archive", "arn:aws:lambda:us-east-1:0:function:f",
		"arn:aws:states:us-east-1:0:execution:archive:x", "arn:aws:states:us-east-1:0:stateMachine:"} {
		if _, err := New(nil, arn); err == nil {
			t.Errorf("%q is taken", arn)
		}
	}
	m, err := New(nil, "arn:aws-cn:states:cn-north-1:1:stateMachine:archive")
	if want := "arn:aws-cn:states:cn-north-1:1:execution:archive:x"; err != nil || m.ARN("x") != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStartTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(*testing.T, *sfntest.Server)
		input  string
		status Status
		kind   Kind
	}{
		{"while it runs", func(*testing.T, *sfntest.Server) {}, one, Running, ""},
		{"after its success", func(t *testing.T, s *sfntest.Server) { s.Finish(t, "x", "SUCCEEDED", `{}`) }, one, Succeeded, ""},
		{"after its failure", func(t *testing.T, s *sfntest.Server) { s.Finish(t, "x", "FAILED", "E", "c") }, one, Failed, ""},
		{"after its end, not to be seen yet", func(t *testing.T, s *sfntest.Server) { s.Finish(t, "x", "SUCCEEDED", `{}`); s.Hide("x", 5) }, one,
			Succeeded, ""},
		{"never to be seen", func(t *testing.T, s *sfntest.Server) { s.Finish(t, "x", "SUCCEEDED", `{}`); s.Hide("x", 6) }, one, "", KindUnavailable},
		{"with another input while it runs", func(*testing.T, *sfntest.Server) {}, two, Running, KindOtherInput},
		{"with another input after its end", func(t *testing.T, s *sfntest.Server) { s.Finish(t, "x", "SUCCEEDED", `{}`) }, two,
			Succeeded, KindOtherInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // it waits for what cannot be seen yet
				m, s := machine(t)
				first := start(t, m, "x")
				if first.Status != Running || first.ARN != m.ARN("x") || first.StartedAt.IsZero() {
					t.Errorf("first: %+v", first)
				}
				c.before(t, s)
				e, err := m.Start(t.Context(), "x", c.input)
				if c.kind == "" && err != nil || c.kind != "" && !IsKind(err, c.kind) {
					t.Fatalf("got %v, want %q", err, c.kind)
				}
				if e.Status != c.status || c.status != "" && (e.ARN != first.ARN || !e.StartedAt.Equal(first.StartedAt)) {
					t.Errorf("got %+v", e)
				}
				if s.Started() != 1 {
					t.Errorf("%d executions", s.Started())
				}
			})
		})
	}
}

func TestManyAtOnceStartOne(t *testing.T) {
	t.Parallel()
	m, s := machine(t)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if i == 25 {
				s.Finish(t, start(t, m, "x").Name, "SUCCEEDED", `{}`)
			}
			if _, err := m.Start(t.Context(), "x", one); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if s.Started() != 1 {
		t.Errorf("%d executions", s.Started())
	}
}

func TestStartGivesUpWhenTheCallerDoes(t *testing.T) {
	t.Parallel()
	m, s := machine(t)
	s.Finish(t, start(t, m, "x").Name, "SUCCEEDED", `{}`)
	s.Hide("x", 1000)
	ctx, cancel := context.WithCancel(t.Context())
	s.Break(func(operation string) *sfntest.Fault {
		if operation == "DescribeExecution" {
			cancel()
		}
		return nil
	})
	if _, err := m.Start(ctx, "x", one); !IsKind(err, KindUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault sfntest.Fault
		want  Kind
	}{
		{sfntest.Fault{Status: 400, Code: "ThrottlingException"}, KindThrottled},
		{sfntest.Fault{Status: 400, Code: "ExecutionLimitExceeded"}, KindThrottled},
		{sfntest.Fault{Status: 400, Code: "KmsThrottlingException"}, KindThrottled},
		{sfntest.Fault{Status: 500, Code: "InternalServerError"}, KindUnavailable},
		{sfntest.Fault{Status: 503, Code: "ServiceUnavailable"}, KindUnavailable},
		{sfntest.Fault{}, KindUnavailable}, // the connection is cut
		{sfntest.Fault{Status: 400, Code: "AccessDeniedException"}, KindRefused},
		{sfntest.Fault{Status: 400, Code: "StateMachineDoesNotExist"}, KindRefused},
		{sfntest.Fault{Status: 400, Code: "KmsAccessDeniedException"}, KindRefused},
		{sfntest.Fault{Status: 400, Code: "InvalidExecutionInput"}, KindInput},
		{sfntest.Fault{Status: 400, Code: "ExecutionDoesNotExist"}, KindNotFound},
		{sfntest.Fault{Status: 400, Code: "InvalidToken"}, KindCursor},
	} {
		m, s := machine(t)
		s.Break(func(string) *sfntest.Fault { return &c.fault })
		_, err := m.Start(t.Context(), "x", one)
		_, described := m.Describe(t.Context(), "x")
		_, listed := m.List(t.Context(), "", 1, "")
		_, read := m.Progress(t.Context(), "x")
		for call, err := range map[string]error{"start": err, "describe": described, "list": listed, "history": read,
			"stop": m.Stop(t.Context(), "x", "E", "c")} {
			if !IsKind(err, c.want) {
				t.Errorf("%s, %+v: got %v, want %q", call, c.fault, err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "http://") || strings.Contains(err.Error(), "attempts")) {
				t.Errorf("%s: the text has more than a person needs: %v", call, err)
			}
		}
		if want := c.want == KindThrottled || c.want == KindUnavailable; c.want.Transient() != want {
			t.Errorf("%q: transient is %v", c.want, !want)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	m, s := machine(t)
	start(t, m, "x")
	s.Finish(t, "x", "FAILED", "Odd", `no '$.y' in the input '{"archiveUrl":"https://cdn.example.com/a.zip?Signature=s3cret\u0026Expires=1"}'`)
	e, err := m.Describe(t.Context(), "x")
	if err != nil || !e.Ended() || e.Error != "Odd" || e.Input != one || e.StoppedAt.Before(e.StartedAt) {
		t.Errorf("got %+v, %v", e, err)
	}
	if strings.Contains(e.Cause, "s3cret") || !strings.Contains(e.Cause, "https://cdn.example.com/a.zip?…") {
		t.Errorf("cause %q", e.Cause)
	}
	start(t, m, "uncaught")
	s.Finish(t, "uncaught", "FAILED", "BatchFailed", `{"errorMessage":"1 of 3 archives is missing","errorType":"BatchFailed"}`)
	if e, err := m.Describe(t.Context(), "uncaught"); err != nil || e.Error != "BatchFailed" || e.Cause != "1 of 3 archives is missing" {
		t.Errorf("got %+v, %v", e, err)
	}
	if _, err := m.Describe(t.Context(), "y"); !IsKind(err, KindNotFound) {
		t.Errorf("got %v", err)
	}
}

// Every status that Step Functions knows has a word, and only those of ended executions say so.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, status := range types.ExecutionStatus("").Values() {
		running := status == types.ExecutionStatusRunning || status == types.ExecutionStatusPendingRedrive
		if word := statusOf(status); !word.Valid() || word.Ended() == running || !running && awsStatuses[word] != status {
			t.Errorf("%s: %s", status, word)
		}
	}
}

func TestListAndStop(t *testing.T) {
	t.Parallel()
	m, s := machine(t)
	for _, name := range []string{"a", "b", "c"} {
		start(t, m, name)
	}
	if err := m.Stop(t.Context(), "b", "Stopped", "by the test"); err != nil {
		t.Fatal(err)
	}
	names := func(status Status) string {
		var names []string
		token := ""
		for {
			page, err := m.List(t.Context(), status, 2, token)
			if err != nil || len(page.Executions) > 2 {
				t.Fatal(page, err)
			}
			for _, e := range page.Executions {
				names = append(names, e.Name)
			}
			if token = page.Next; token == "" {
				return strings.Join(names, " ")
			}
		}
	}
	if got := names(""); got != "c b a" {
		t.Errorf("all: %s", got)
	}
	if got := names(Running); got != "c a" {
		t.Errorf("running: %s", got)
	}
	e, err := m.Describe(t.Context(), "b")
	if err != nil || e.Status != Stopped || e.Error != "Stopped" || e.Cause != "by the test" {
		t.Errorf("got %+v, %v", e, err)
	}
	if s.Calls("StopExecution") != 1 {
		t.Error("not one call")
	}
}

func TestAnswerThatMakesNoSense(t *testing.T) {
	t.Parallel()
	m, s := machine(t)
	s.Break(func(string) *sfntest.Fault { return &sfntest.Fault{Status: http.StatusTeapot, Code: "Odd"} })
	if _, err := m.Describe(t.Context(), "x"); !IsKind(err, KindRefused) {
		t.Errorf("got %v", err)
	}
}

package sfntest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

func start(t *testing.T, s *sfntest.Server, machine, name string) string {
	t.Helper()
	out, err := s.Client().StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &machine, Name: &name, Input: aws.String(`{"query":{"assetIds":["asset_1"]}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ExecutionArn
}

func TestScriptedExecution(t *testing.T) {
	t.Parallel()
	s := sfntest.Start(t)
	arn := start(t, s, sfntest.MachineARN, "x")
	s.Transferring(t, "x")
	s.Finish(t, "x", "SUCCEEDED", `{"key":"k"}`)
	d, err := s.Client().DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil || aws.ToString(d.Output) != `{"key":"k"}` {
		t.Errorf("got %+v, %v", d, err)
	}
	failed := start(t, s, sfntest.BatchMachineARN, "y")
	s.Finish(t, "y", "FAILED", "BatchFailed", "cause")
	d, err = s.Client().DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &failed})
	if err != nil || aws.ToString(d.Error) != "BatchFailed" || aws.ToString(d.Cause) != "cause" {
		t.Errorf("got %+v, %v", d, err)
	}
	late := start(t, s, sfntest.MachineARN, "z")
	s.Finish(t, "z", "TIMED_OUT")
	if e, err := s.Describe(late); err != nil || e.Status != asl.StatusTimedOut || s.Started() != 3 {
		t.Errorf("got %+v, %v, %d executions", e, err, s.Started())
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := sfntest.Start(t)
	arn := start(t, s, sfntest.MachineARN, "x")
	describe := func() error {
		_, err := s.Client().DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		return err
	}
	s.Hide("x", 1)
	var api smithy.APIError
	if err := describe(); !errors.As(err, &api) || api.ErrorCode() != "ExecutionDoesNotExist" {
		t.Errorf("hidden: got %v", err)
	}
	s.Break(func(string) *sfntest.Fault { return &sfntest.Fault{Status: 400, Code: "ThrottlingException"} })
	if err := describe(); !errors.As(err, &api) || api.ErrorCode() != "ThrottlingException" {
		t.Errorf("broken: got %v", err)
	}
	s.Break(func(string) *sfntest.Fault { return &sfntest.Fault{} })
	if err := describe(); err == nil || errors.As(err, &api) && api.ErrorCode() == "" {
		t.Errorf("cut: got %v", err)
	}
	s.Break(nil)
	if err := describe(); err != nil || s.Calls("DescribeExecution") != 4 {
		t.Errorf("got %v after %d calls", err, s.Calls("DescribeExecution"))
	}
	if r, err := http.Get(s.URL()); err != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("by the network: %v, %v", r, err)
	}
}

// A rate limit of an hour and a wait of a day, on the real definition and at their full length.
func TestDaysInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		lambda := sfntest.Lambda(func(_ context.Context, function string, _ []byte) (any, error) {
			switch {
			case time.Since(began) < time.Hour && function == "launch":
				return nil, &sfntest.FunctionError{Type: "RateLimited", Message: "later"}
			case function == "launch":
				return sfntest.Launched(86_400), nil
			case function == "poll":
				return sfntest.Polled("success", 1), nil
			}
			return map[string]any{"finished": true, "output": fmt.Sprint(time.Since(began) > 25*time.Hour)}, nil
		})
		s := sfntest.Start(t, sfntest.WithLambda(lambda), sfntest.InFullLength)
		e, err := s.Wait(t.Context(), start(t, s, sfntest.MachineARN, "x"))
		if err != nil || string(e.Output) != `"true"` || !strings.HasPrefix(string(e.Status), "SUCC") {
			t.Errorf("got %+v, %v", e, err)
		}
	})
}

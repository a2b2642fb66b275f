package sfn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestExecutionByTheSDK goes once through the life of an execution with AWS's own client.
func TestExecutionByTheSDK(t *testing.T) {
	t.Parallel()
	s, client := serve(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	ctx := t.Context()
	before := time.Now().Add(-time.Second)
	started, err := client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(s.MachineARN("l")), Name: aws.String("one"), Input: aws.String(`{ "n": 12345678901234567890 }`),
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:states:us-east-1:000000000000:execution:l:one"
	if *started.ExecutionArn != arn || started.StartDate.Before(before) {
		t.Errorf("started %s at %v", *started.ExecutionArn, started.StartDate)
	}
	wait(t, s, arn)
	d, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != types.ExecutionStatusSucceeded || *d.Output != `{"n":12345678901234567890}` ||
		*d.Input != `{ "n": 12345678901234567890 }` || *d.Name != "one" || *d.StateMachineArn != s.MachineARN("l") ||
		!d.StartDate.Equal(*started.StartDate) || d.StopDate.Before(*d.StartDate) || !d.InputDetails.Included {
		t.Errorf("described %+v", d)
	}
	h, err := client.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, IncludeExecutionData: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range h.Events {
		got = append(got, fmt.Sprintf("%d<%d %s", e.Id, e.PreviousEventId, e.Type))
	}
	if len(got) != 12 || got[4] != "5<4 TaskSucceeded" || got[11] != "12<11 ExecutionSucceeded" {
		t.Errorf("history %q", got)
	}
	if e := h.Events[4].TaskSucceededEventDetails; *e.ResourceType != "lambda" || !strings.Contains(*e.Output, `"ExecutedVersion":"$LATEST"`) {
		t.Errorf("got %+v", e)
	}
	if p := *h.Events[2].TaskScheduledEventDetails.Parameters; p != `{"FunctionName":"first","Payload":{"n":12345678901234567890}}` {
		t.Errorf("parameters %s", p)
	}
}

func TestFailuresByTheSDK(t *testing.T) {
	t.Parallel()
	s, client := serve(t, testConfig(t.TempDir(), invokerFunc(func(context.Context, string, []byte) ([]byte, string, error) {
		return []byte(`{"errorMessage":"no","errorType":"JobFailed"}`), "Unhandled", nil
	})))
	e := wait(t, s, start(t, s, "l", "", `{}`).ARN)
	if e.Status != "FAILED" || e.Error != "JobFailed" || e.Cause != `{"errorMessage":"no","errorType":"JobFailed"}` || e.Output != nil {
		t.Errorf("got %+v", e)
	}
	if len(e.Name) != 36 {
		t.Errorf("the name is %s", e.Name)
	}
	ctx := t.Context()
	arn := s.MachineARN("p")
	startWith := func(machine, name, input string) error {
		_, err := client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: &input})
		return err
	}
	for name, c := range map[string]struct{ machine, name, input, code string }{
		"no such machine":  {"arn:aws:states:us-east-1:000000000000:stateMachine:x", "n", `{}`, "StateMachineDoesNotExist"},
		"another account":  {"arn:aws:states:us-east-1:111111111111:stateMachine:p", "n", `{}`, "StateMachineDoesNotExist"},
		"not an ARN":       {"p", "n", `{}`, "InvalidArn"},
		"an execution":     {e.ARN, "n", `{}`, "InvalidArn"},
		"not JSON":         {arn, "n", `{"a":`, "InvalidExecutionInput"},
		"empty input":      {arn, "n", ``, "InvalidExecutionInput"},
		"two values":       {arn, "n", `{} {}`, "InvalidExecutionInput"},
		"nested too deep":  {arn, "n", strings.Repeat("[", 600) + strings.Repeat("]", 600), "InvalidExecutionInput"},
		"input too large":  {arn, "n", `"` + strings.Repeat("x", 262_143) + `"`, "ValidationException"},
		"empty name":       {arn, "", `{}`, "InvalidName"},
		"name too long":    {arn, strings.Repeat("é", 81), `{}`, "InvalidName"},
		"name with space":  {arn, "a b", `{}`, "InvalidName"},
		"name with slash":  {arn, "../x", `{}`, "InvalidName"},
		"name with colon":  {arn, "a:b", `{}`, "InvalidName"},
		"name with a star": {arn, "a*", `{}`, "InvalidName"},
		"name with NUL":    {arn, "a\x00", `{}`, "InvalidName"},
		"name with C1":     {arn, "a\u0085", `{}`, "InvalidName"},
	} {
		if err := startWith(c.machine, c.name, c.input); err == nil {
			t.Errorf("%s: started", name)
		} else {
			wantCode(t, err, c.code)
		}
	}
	for _, good := range []string{strings.Repeat("é", 80), "a.b-c_d", "日本", ".", "(x)=1@!'+"} {
		if err := startWith(arn, good, `null`); err != nil {
			t.Errorf("%s: %v", good, err)
		}
		wait(t, s, executionARN("p", good))
	}
}

func TestWhatIsNotThereByTheSDK(t *testing.T) {
	t.Parallel()
	s, client := serve(t, testConfig(t.TempDir(), invokerFunc(func(context.Context, string, []byte) ([]byte, string, error) {
		return nil, "", errors.New("nothing is invoked")
	})))
	ctx := t.Context()
	arn := s.MachineARN("p")
	if _, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(executionARN("p", "gone"))}); err == nil {
		t.Error("described what is not there")
	} else {
		wantCode(t, err, "ExecutionDoesNotExist")
	}
	_, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	wantCode(t, err, "InvalidArn")
	_, err = client.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(executionARN("x", "y"))})
	wantCode(t, err, "ExecutionDoesNotExist")
	_, err = client.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: aws.String("x")})
	wantCode(t, err, "InvalidArn")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &arn, NextToken: aws.String("x")})
	wantCode(t, err, "InvalidToken")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &arn, MaxResults: 1001})
	wantCode(t, err, "ValidationException")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &arn, StatusFilter: "DONE"})
	wantCode(t, err, "ValidationException")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: aws.String("arn:x")})
	wantCode(t, err, "InvalidArn")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: &arn, StateMachineArn: &arn})
	wantCode(t, err, "ValidationException")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &arn, RedriveFilter: "REDRIVEN"})
	wantCode(t, err, "ValidationException")
	_, err = client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String("arn:x")})
	wantCode(t, err, "InvalidArn")
	_, err = client.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: &arn})
	wantCode(t, err, "UnknownOperationException")
}

func TestStartIsIdempotentWhileItRuns(t *testing.T) {
	t.Parallel()
	c := testConfig(t.TempDir(), nil)
	c.Machines = c.Machines[:2]
	c.Clock = nil // the Wait is an hour
	s := newService(t, c)
	first := start(t, s, "w", "n", `{"a":1}`)
	if again := start(t, s, "w", "n", `{"a":1}`); again.ARN != first.ARN || !again.StartDate.Equal(first.StartDate.Time) {
		t.Errorf("got %+v, then %+v", first, again)
	}
	_, err := s.Start(s.MachineARN("w"), "n", []byte(`{"a":2}`))
	wantCode(t, err, "ExecutionAlreadyExists")
	stopped, err := s.Stop(first.ARN, "Why", "because")
	if err != nil {
		t.Fatal(err)
	}
	e := wait(t, s, first.ARN)
	if e.Status != "ABORTED" || e.Error != "Why" || e.Cause != "because" || !e.StopDate.Equal(stopped) {
		t.Errorf("got %+v, stopped at %v", e, stopped)
	}
	if again, err := s.Stop(first.ARN, "Other", ""); err != nil || !again.Equal(stopped) {
		t.Errorf("stopped again: %v, %v", again, err)
	}
	_, err = s.Start(s.MachineARN("w"), "n", []byte(`{"a":1}`))
	wantCode(t, err, "ExecutionAlreadyExists")
}

// TestManyStartsMakeFewExecutions starts 1,000 times, at once, with 100 names.
func TestManyStartsMakeFewExecutions(t *testing.T) {
	t.Parallel()
	c := testConfig(t.TempDir(), nil)
	c.Machines = c.Machines[:2]
	c.Clock = nil
	s, client := serve(t, c)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			_, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{
				StateMachineArn: aws.String(s.MachineARN("w")), Name: aws.String(fmt.Sprint("n", i%100)),
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	names := map[string]bool{}
	token := ""
	for {
		page, next, err := s.List(s.MachineARN("w"), "RUNNING", 30, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if names[e.Name] {
				t.Errorf("%s is there twice", e.Name)
			}
			names[e.Name] = true
		}
		if token = next; token == "" {
			break
		}
	}
	if len(names) != 100 {
		t.Errorf("%d executions", len(names))
	}
}

func TestListExecutions(t *testing.T) {
	t.Parallel()
	s, client := serve(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	ctx := t.Context()
	var want []string
	for i := range 7 {
		name := fmt.Sprint("n", i)
		wait(t, s, start(t, s, "p", name, `{}`).ARN)
		want = append([]string{name}, want...)
	}
	in := &sfn.ListExecutionsInput{StateMachineArn: aws.String(s.MachineARN("p")), MaxResults: 3}
	var got []string
	for pages := 0; ; pages++ {
		out, err := client.ListExecutions(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Executions {
			got = append(got, *e.Name)
			if e.Status != types.ExecutionStatusSucceeded || e.StopDate == nil {
				t.Errorf("listed %+v", e)
			}
		}
		if out.NextToken == nil {
			break
		}
		start(t, s, "p", fmt.Sprint("new", pages), `{}`) // must not move the pages
		in.NextToken = out.NextToken
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	out, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: in.StateMachineArn, StatusFilter: types.ExecutionStatusFailed})
	if err != nil || len(out.Executions) != 0 || out.Executions == nil {
		t.Errorf("failed ones: %+v, %v", out, err)
	}
	if _, err := client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(s.MachineARN("w")), NextToken: in.NextToken}); err == nil {
		t.Error("a token of another list was taken")
	}
}

func TestHistoryPages(t *testing.T) {
	t.Parallel()
	s, client := serve(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	arn := wait(t, s, start(t, s, "l", "h", `{"data":"here"}`).ARN).ARN
	for _, reverse := range []bool{false, true} {
		var got []int64
		in := &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 5, ReverseOrder: reverse, IncludeExecutionData: aws.Bool(false)}
		for {
			out, err := client.GetExecutionHistory(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range out.Events {
				got = append(got, e.Id)
			}
			if text, _ := json.Marshal(out.Events); strings.Contains(string(text), "here") {
				t.Errorf("data in %s", text)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		want := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		if reverse {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	for _, in := range []*sfn.GetExecutionHistoryInput{
		{ExecutionArn: &arn, NextToken: aws.String("%")}, {ExecutionArn: &arn, NextToken: aws.String(token(arn+"x", 1))},
	} {
		_, err := client.GetExecutionHistory(t.Context(), in)
		wantCode(t, err, "InvalidToken")
	}
	_, err := client.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 2000})
	wantCode(t, err, "ValidationException")
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	s := newService(t, testConfig(t.TempDir(), invokerFunc(echoPayload)))
	var log eventLog
	cancel := s.Subscribe(log.add)
	arn := wait(t, s, start(t, s, "p", "seen", `{}`).ARN).ARN
	if got := log.types(arn); got != "[ExecutionStarted PassStateEntered PassStateExited ExecutionSucceeded]" {
		t.Errorf("got %s", got)
	}
	cancel()
	arn = wait(t, s, start(t, s, "p", "unseen", `{}`).ARN).ARN
	if got := log.types(arn); got != "[]" {
		t.Errorf("after the end: %s", got)
	}
}

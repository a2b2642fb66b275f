// Package executions starts, finds, reads and stops the executions of a state machine. It gives them names: an
// execution's name is what makes a start idempotent, and what a person reads in the console.
package executions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// API is what this package calls of Step Functions; *sfn.Client has it.
type API interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
	ListExecutions(context.Context, *sfn.ListExecutionsInput, ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error)
	GetExecutionHistory(context.Context, *sfn.GetExecutionHistoryInput, ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error)
	ListMapRuns(context.Context, *sfn.ListMapRunsInput, ...func(*sfn.Options)) (*sfn.ListMapRunsOutput, error)
	DescribeMapRun(context.Context, *sfn.DescribeMapRunInput, ...func(*sfn.Options)) (*sfn.DescribeMapRunOutput, error)
}

// Machine is one state machine (of type STANDARD: only those are idempotent and can be looked up).
type Machine struct {
	api        API
	arn        string
	executions string // the ARN of an execution without its name
}

// New makes a Machine of a state machine's ARN.
func New(api API, stateMachineARN string) (*Machine, error) {
	fields := strings.Split(stateMachineARN, ":")
	if len(fields) != 7 || fields[0] != "arn" || fields[2] != "states" || fields[5] != "stateMachine" || fields[6] == "" {
		return nil, fmt.Errorf("%q is not the ARN of a state machine (arn:aws:states:REGION:ACCOUNT:stateMachine:NAME)",
			stateMachineARN)
	}
	fields[5] = "execution"
	return &Machine{api: api, arn: stateMachineARN, executions: strings.Join(fields, ":")}, nil
}

// ARN is the execution's ARN.
func (m *Machine) ARN(name string) string { return m.executions + ":" + name }

// Execution is one run of the state machine.
type Execution struct {
	Name, ARN string
	Status    Status
	StartedAt time.Time
	StoppedAt time.Time       // zero while it runs
	Input     string          // as it was started with; "" where the call does not give it
	Output    json.RawMessage // set when it succeeded
	Error     string          // set when it failed, timed out or was stopped
	Cause     string
}

// Ended says whether the execution has come to an end.
func (e Execution) Ended() bool { return e.Status.Ended() }

// Status is how an execution stands, in the words of the API and of the notes in the bucket.
type Status string

// The statuses.
const (
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	TimedOut  Status = "timed-out"
	Stopped   Status = "stopped"
)

var awsStatuses = map[Status]types.ExecutionStatus{
	Running:   types.ExecutionStatusRunning,
	Succeeded: types.ExecutionStatusSucceeded,
	Failed:    types.ExecutionStatusFailed,
	TimedOut:  types.ExecutionStatusTimedOut,
	Stopped:   types.ExecutionStatusAborted,
}

// statusOf is the word for a status of Step Functions. An execution that waits to be redriven has not ended.
func statusOf(s types.ExecutionStatus) Status {
	for word, aws := range awsStatuses {
		if aws == s {
			return word
		}
	}
	return Running
}

// Valid says whether s is a status.
func (s Status) Valid() bool { return awsStatuses[s] != "" }

// Ended says whether the execution has come to an end.
func (s Status) Ended() bool { return s != Running }

// Start starts the execution of that name, or finds the one that has been started with it, running or ended. input is
// of the function Input. When the name belongs to another input, the error has KindOtherInput, and the execution that
// has the name is returned with it.
func (m *Machine) Start(ctx context.Context, name, input string) (Execution, error) {
	out, err := m.api.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &m.arn, Name: &name, Input: &input,
	})
	switch {
	case errors.As(err, new(*types.ExecutionAlreadyExists)): // which needs a second look
		return m.found(ctx, name, input)
	case err != nil:
		return Execution{}, classify("start the execution", err)
	}
	return Execution{
		Name: name, ARN: aws.ToString(out.ExecutionArn), Status: Running,
		StartedAt: aws.ToTime(out.StartDate), Input: input,
	}, nil
}

// lookAgain are the waits for an execution that exists and cannot be described yet: DescribeExecution is eventually
// consistent.
var lookAgain = []time.Duration{
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
}

// found describes the execution that has the name. Step Functions refuses a name when its execution has ended or has
// another input; DescribeExecution shows which.
func (m *Machine) found(ctx context.Context, name, input string) (Execution, error) {
	const op = "find the execution of this name"
	e, err := m.Describe(ctx, name)
	for _, wait := range lookAgain {
		if !IsKind(err, KindNotFound) {
			break
		}
		if err := sleep(ctx, wait); err != nil {
			return Execution{}, &Error{Op: op, Kind: KindUnavailable, Err: err}
		}
		e, err = m.Describe(ctx, name)
	}
	switch {
	case IsKind(err, KindNotFound):
		return Execution{}, &Error{Op: op, Kind: KindUnavailable, Err: err}
	case err == nil && !sameInput(e.Input, input):
		return e, &Error{Op: op, Kind: KindOtherInput}
	}
	return e, err
}

// Describe reads an execution.
func (m *Machine) Describe(ctx context.Context, name string) (Execution, error) {
	arn := m.ARN(name)
	out, err := m.api.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return Execution{}, classify("describe the execution", err)
	}
	return Execution{
		Name: name, ARN: arn, Status: statusOf(out.Status), StartedAt: aws.ToTime(out.StartDate), StoppedAt: aws.ToTime(out.StopDate),
		Input: aws.ToString(out.Input), Output: json.RawMessage(aws.ToString(out.Output)),
		Error: aws.ToString(out.Error), Cause: message(aws.ToString(out.Cause)),
	}, nil
}

// Stop ends a running execution. What it says of one that has ended is left to the caller, who should look first.
func (m *Machine) Stop(ctx context.Context, name, errorName, cause string) error {
	arn := m.ARN(name)
	_, err := m.api.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Error: &errorName, Cause: &cause})
	if err != nil {
		return classify("stop the execution", err)
	}
	return nil
}

// Page is a part of a list.
type Page struct {
	Executions []Execution // newest first
	Next       string      // the token of the next page; "" when this is the last
}

// List lists executions, newest first, with a status ("" for all), at most limit (1 to 1000).
func (m *Machine) List(ctx context.Context, status Status, limit int32, token string) (Page, error) {
	in := &sfn.ListExecutionsInput{StateMachineArn: &m.arn, MaxResults: limit, StatusFilter: awsStatuses[status]}
	if token != "" {
		in.NextToken = &token
	}
	out, err := m.api.ListExecutions(ctx, in)
	if err != nil {
		return Page{}, classify("list the executions", err)
	}
	page := Page{Next: aws.ToString(out.NextToken)}
	for _, e := range out.Executions {
		page.Executions = append(page.Executions, Execution{
			Name: aws.ToString(e.Name), ARN: aws.ToString(e.ExecutionArn), Status: statusOf(e.Status),
			StartedAt: aws.ToTime(e.StartDate), StoppedAt: aws.ToTime(e.StopDate),
		})
	}
	return page, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

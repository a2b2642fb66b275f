package sfn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// executionRunner runs the tasks of [asl.StartExecutionResource]: an execution of another machine of the same service,
// waited for. An execution that the task started is stopped with it.
type executionRunner struct{ s *Service }

type startParameters struct {
	StateMachineArn string
	Name            string
	Input           json.RawMessage
}

func (r executionRunner) Run(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var p startParameters
	if err := json.Unmarshal(t.Parameters, &p); err != nil {
		return nil, &asl.Error{Name: "States.Runtime", Cause: "StateMachineArn and Name must be strings"}
	}
	e, err := r.start(p, t.Token)
	if errors.Is(err, errClosed) {
		<-ctx.Done() // it ends with the service
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, startFailure(err)
	}
	if err := r.submitted(t, e); err != nil {
		return nil, err
	}
	select {
	case <-r.s.done(e):
	case <-ctx.Done():
		return nil, r.abandon(ctx, e)
	}
	d, err := r.s.describe(e)
	if err != nil {
		return nil, err
	}
	return executionResult(d)
}

// start starts the execution, or finds the one that this very task started before.
func (r executionRunner) start(p startParameters, token string) (*execution, error) {
	m, err := r.s.findMachine(p.StateMachineArn)
	if err != nil {
		return nil, err
	}
	// A name made of the token is the same one after a restart.
	name := cmp.Or(p.Name, asl.UUIDOf(token))
	if !validName(name) {
		return nil, &APIError{"InvalidName", fmt.Sprintf("Invalid Name: '%s'", name)}
	}
	if p.Input == nil {
		p.Input = json.RawMessage("{}")
	}
	if err := checkInput(p.Input); err != nil {
		return nil, err
	}
	return r.s.begin(m, header{Name: name, Input: string(p.Input), StartedBy: token})
}

// startFailure is the error of a start by the name that Step Functions gives it as a service that is called.
func startFailure(err error) error {
	var api *APIError
	if !errors.As(err, &api) {
		return &asl.Error{Name: "StepFunctions.SdkClientException", Cause: err.Error()}
	}
	return &asl.Error{
		Name:  "StepFunctions." + api.Code + "Exception",
		Cause: fmt.Sprintf("%s (Service: AWSStepFunctions; Status Code: 400; Error Code: %s)", api.Message, api.Code),
	}
}

func (r executionRunner) submitted(t asl.Task, e *execution) error {
	out, err := json.Marshal(struct {
		ExecutionArn string
		StartDate    int64
	}{e.arn, e.start.UnixMilli()})
	if err != nil {
		return err
	}
	return t.Submitted(out)
}

// abandon stops the execution because its task was ended, unless the service is being closed: then it goes on later.
func (r executionRunner) abandon(ctx context.Context, e *execution) error {
	if r.s.ctx.Err() == nil {
		_, _ = r.s.stop(e, "", "the execution that waited for it has ended") // fails only when the service is closed
	}
	return ctx.Err()
}

// executionDescription is DescribeExecution's answer in the form of the integration: names with capitals, times in
// milliseconds, in alphabetical order. Of a failed execution, Input and Output are texts.
type executionDescription struct {
	Cause           string `json:",omitempty"`
	Error           string `json:",omitempty"`
	ExecutionArn    string
	Input           any
	InputDetails    includedDetails
	Name            string
	Output          any              `json:",omitempty"`
	OutputDetails   *includedDetails `json:",omitempty"`
	RedriveCount    int
	RedriveStatus   string
	StartDate       int64
	StateMachineArn string
	Status          asl.Status
	StopDate        int64
}

type includedDetails struct{ Included bool }

// executionResult is the task's result; an execution that did not succeed fails it with its description as the cause.
func executionResult(e Execution) (json.RawMessage, error) {
	d := executionDescription{
		Cause: e.Cause, Error: e.Error, ExecutionArn: e.ARN, Input: string(e.Input), InputDetails: includedDetails{true},
		Name: e.Name, RedriveCount: e.RedriveCount, RedriveStatus: e.RedriveStatus, StartDate: e.StartDate.UnixMilli(), StateMachineArn: e.StateMachineARN,
		Status: e.Status, StopDate: e.StopDate.UnixMilli(),
	}
	if e.Status != asl.StatusSucceeded {
		cause, err := encode(d)
		if err != nil {
			return nil, err
		}
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: string(cause)}
	}
	d.Input, d.Output, d.OutputDetails = e.Input, e.Output, &includedDetails{true}
	return encode(d)
}

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

func (r executionRunner) Run(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var p struct {
		StateMachineArn string
		Name            string
		Input           json.RawMessage
	}
	if err := json.Unmarshal(t.Parameters, &p); err != nil {
		return nil, &asl.Error{Name: "States.Runtime", Cause: "StateMachineArn and Name must be strings"}
	}
	if p.Input == nil {
		p.Input = json.RawMessage("{}")
	}
	// A name made of the token is the same one after a restart.
	name := cmp.Or(p.Name, asl.UUIDOf(t.Token))
	e, err := r.s.start(p.StateMachineArn, header{Name: name, Input: string(p.Input), StartedBy: t.Token})
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

// startFailure is the error of a start by the name that Step Functions gives it as a service that is called.
func startFailure(err error) error {
	api, ok := errors.AsType[*APIError](err)
	if !ok {
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

// description is an execution as tasks and the files of a ResultWriter show it: DescribeExecution's answer with capital
// names, in alphabetical order.
type description struct {
	Cause               string `json:",omitempty"`
	Error               string `json:",omitempty"`
	ExecutionArn        string
	Input               any
	InputDetails        map[string]bool
	Name                string
	Output              any             `json:",omitempty"`
	OutputDetails       map[string]bool `json:",omitempty"`
	RedriveCount        int
	RedriveStatus       string
	RedriveStatusReason *string `json:",omitempty"`
	StartDate           any     `json:",omitempty"`
	StateMachineArn     string
	Status              asl.Status
	StopDate            any `json:",omitempty"`
}

// descriptionOf has the input and the output as texts.
func descriptionOf(e Execution, date func(Timestamp) any) description {
	d := description{
		Cause: e.Cause, Error: e.Error, ExecutionArn: e.ARN, Input: string(e.Input), InputDetails: map[string]bool{"Included": true},
		Name: e.Name, RedriveCount: e.RedriveCount, RedriveStatus: e.RedriveStatus, StartDate: date(e.StartDate),
		StateMachineArn: e.StateMachineARN, Status: e.Status, StopDate: date(e.StopDate),
	}
	if e.Output != nil {
		d.Output, d.OutputDetails = string(e.Output), d.InputDetails
	}
	return d
}

// executionResult is the task's result, with times in milliseconds; an execution that did not succeed fails it with its
// description as the cause.
func executionResult(e Execution) (json.RawMessage, error) {
	d := descriptionOf(e, func(t Timestamp) any { return t.UnixMilli() })
	if e.Status != asl.StatusSucceeded {
		cause, err := asl.Encode(d)
		if err != nil {
			return nil, err
		}
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: string(cause)}
	}
	d.Input, d.Output = e.Input, e.Output
	return asl.Encode(d)
}

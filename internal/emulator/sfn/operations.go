package sfn

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// operations are the actions that this endpoint has.
var operations = map[string]operation{
	"StartExecution":      answers(startExecution),
	"DescribeExecution":   answers(describeExecution),
	"StopExecution":       answers(stopExecution),
	"ListExecutions":      answers(listExecutions),
	"GetExecutionHistory": answers(getExecutionHistory),
	"DescribeMapRun":      answers(describeMapRun),
	"ListMapRuns":         answers(listMapRuns),
	"RedriveExecution":    answers(redriveExecution),
}

type startInput struct {
	StateMachineARN string  `json:"stateMachineArn"`
	Name            *string `json:"name"`
	Input           *string `json:"input"`
}

func startExecution(s *Service, in startInput) (any, error) {
	name, input := "", "{}"
	if in.Name != nil {
		if name = *in.Name; name == "" {
			return nil, &APIError{"InvalidName", "Invalid Name: ''"}
		}
	}
	if in.Input != nil {
		input = *in.Input
	}
	e, err := s.Start(in.StateMachineARN, name, []byte(input))
	if err != nil {
		return nil, err
	}
	return struct {
		ARN   string    `json:"executionArn"`
		Start Timestamp `json:"startDate"`
	}{e.ARN, e.StartDate}, nil
}

type executionInput struct {
	ARN string `json:"executionArn"`
}

func describeExecution(s *Service, in executionInput) (any, error) {
	e, err := s.Describe(in.ARN)
	if err != nil {
		return nil, err
	}
	included := map[string]bool{"included": true} // which data always is
	d := struct {
		Execution
		Input         string          `json:"input"`
		InputDetails  map[string]bool `json:"inputDetails"`
		Output        string          `json:"output,omitempty"`
		OutputDetails map[string]bool `json:"outputDetails,omitempty"`
	}{Execution: e, Input: string(e.Input), InputDetails: included, Output: string(e.Output)}
	if e.Output != nil {
		d.OutputDetails = included
	}
	return d, nil
}

type stopInput struct {
	executionInput
	Error string `json:"error"`
	Cause string `json:"cause"`
}

// The longest error and cause that StopExecution takes (API reference), in bytes here.
const (
	maxError = 256
	maxCause = 32_768
)

func stopExecution(s *Service, in stopInput) (any, error) {
	if len(in.Error) > maxError || len(in.Cause) > maxCause {
		return nil, &APIError{"ValidationException",
			fmt.Sprintf("error must have %d characters at most, cause %d", maxError, maxCause)}
	}
	at, err := s.Stop(in.ARN, in.Error, in.Cause)
	if err != nil {
		return nil, err
	}
	return map[string]Timestamp{"stopDate": Timestamp{at}}, nil
}

type page struct {
	MaxResults int    `json:"maxResults"`
	NextToken  string `json:"nextToken"`
}

type listInput struct {
	page
	StateMachineARN string     `json:"stateMachineArn"`
	MapRunARN       string     `json:"mapRunArn"`
	Status          asl.Status `json:"statusFilter"`
	RedriveFilter   string     `json:"redriveFilter"`
}

var statuses = []asl.Status{
	asl.StatusRunning, asl.StatusSucceeded, asl.StatusFailed, asl.StatusTimedOut, asl.StatusAborted, "PENDING_REDRIVE",
}

func listExecutions(s *Service, in listInput) (any, error) {
	switch {
	case in.RedriveFilter != "":
		return nil, &APIError{"ValidationException", "redriveFilter is not supported by this endpoint"}
	case in.MapRunARN != "" && in.StateMachineARN != "":
		return nil, &APIError{"ValidationException", "give a stateMachineArn or a mapRunArn, not both"}
	case in.Status != "" && !slices.Contains(statuses, in.Status):
		return nil, &APIError{"ValidationException", fmt.Sprintf("statusFilter must be one of %v", statuses)}
	}
	executions, next, err := s.List(cmp.Or(in.MapRunARN, in.StateMachineARN), in.Status, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return struct {
		Executions []Execution `json:"executions"`
		Next       string      `json:"nextToken,omitempty"`
	}{append([]Execution{}, executions...), next}, nil
}

type historyInput struct {
	page
	executionInput
	Reverse bool  `json:"reverseOrder"`
	Data    *bool `json:"includeExecutionData"`
}

func getExecutionHistory(s *Service, in historyInput) (any, error) {
	events, next, err := s.History(in.ARN, in.Reverse, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	if in.Data != nil && !*in.Data {
		for i := range events {
			events[i] = events[i].WithoutData()
		}
	}
	return struct {
		Events []asl.Event `json:"events"`
		Next   string      `json:"nextToken,omitempty"`
	}{append([]asl.Event{}, events...), next}, nil
}

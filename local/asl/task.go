package asl

import (
	"context"
	"encoding/json"
	"time"
)

// LambdaInvokeResource is the optimised integration that calls a Lambda function and waits for its answer.
const LambdaInvokeResource = "arn:aws:states:::lambda:invoke"

// TaskRunner does the work of the Task states of one resource ARN. Run's result is the state's result, as JSON text,
// before ResultSelector. An error that is not a [*Error] fails the task with States.TaskFailed. When ctx ends, Run
// must return soon: the state's time is over, or the execution was stopped.
type TaskRunner interface {
	Run(ctx context.Context, t Task) (json.RawMessage, error)
}

// Runners holds a TaskRunner for each resource ARN that definitions may name.
type Runners map[string]TaskRunner

// Task is what a TaskRunner is asked to do.
type Task struct {
	Resource   string          // the resource ARN of the definition
	State      string          // name of the state, for messages
	Parameters json.RawMessage // JSON text after InputPath and Parameters
	Timeout    time.Duration   // how long the state may take; 0: no limit of its own. ctx ends with it
	Execution  ExecutionInfo
}

// ExecutionInfo says which execution it is. All of it is visible to definitions through the context object ($$).
type ExecutionInfo struct {
	ARN, Name                         string
	StateMachineARN, StateMachineName string
	RoleARN                           string
	Input                             json.RawMessage // JSON text
	StartTime                         time.Time
}

// Error is a failure in the language's terms: Retry and Catch match Name, and an execution that ends with it shows
// both. The names that start with "States." are the language's own.
type Error struct {
	Name  string
	Cause string
}

func (e *Error) Error() string {
	if e.Cause == "" {
		return e.Name
	}
	return e.Name + ": " + e.Cause
}

package asl

import (
	"context"
	"encoding/json"
	"time"
)

// LambdaInvokeResource is the optimised integration that calls a Lambda function and waits for its answer.
const LambdaInvokeResource = "arn:aws:states:::lambda:invoke"

// StartExecutionResource is the optimised integration that runs another state machine and waits for its end. Its result
// holds the output as JSON, not as text.
const StartExecutionResource = "arn:aws:states:::states:startExecution.sync:2"

// TaskRunner does the work of the Task states of one resource ARN. Run's result is the state's result, as JSON text,
// before ResultSelector. An error that is not a [*Error] fails the task with States.TaskFailed. When ctx ends, Run
// must return soon: the state's time is over, or the execution was stopped. A task of a resource that ends in .sync or
// .sync:2 that was in flight when the process ended is run again with the same Token, and must go on with what it began.
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

	// Token names this attempt at the state, also when it is gone on with after a restart.
	Token string
	// Submitted records what was begun elsewhere, as JSON text, by a task that waits for it (.sync).
	Submitted func(output json.RawMessage) error
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

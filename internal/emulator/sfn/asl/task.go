package asl

import (
	"context"
	"encoding/json"
	"time"
)

// The resources of Task states. lambda:invoke calls a Lambda function and waits for its answer.
// states:startExecution.sync:2 runs another state machine and waits for its end; its result holds the output as JSON,
// not as text.
const (
	LambdaInvokeResource   = "arn:aws:states:::lambda:invoke"
	StartExecutionResource = "arn:aws:states:::states:startExecution.sync:2"
)

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
	Parameters json.RawMessage // JSON text after Parameters
	Timeout    time.Duration   // how long the state may take; 0: no limit of its own. ctx ends with it
	Execution  ExecutionInfo

	// Token names this attempt at the state, also when it continues after a restart.
	Token string
	// Submitted records what was started elsewhere, as JSON text, by a task that waits for it (.sync).
	Submitted func(output json.RawMessage) error
}

// ExecutionInfo says which execution it is. Definitions see it through the context object ($$.Execution).
type ExecutionInfo struct {
	ARN, Name       string
	StateMachineARN string
	RoleARN         string
	Input           json.RawMessage // JSON text
	StartTime       time.Time
	RedriveCount    int
	RedriveTime     time.Time // of the last redrive
}

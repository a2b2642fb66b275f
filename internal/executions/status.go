package executions

import "github.com/aws/aws-sdk-go-v2/service/sfn/types"

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

package executions

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// The history is read from its end. What is asked for stands in the last few events, unless a task has been retried
// many times: so the pages are small, and few.
const (
	historyPage  = 50
	historyPages = 6
)

// transferState and unpackState are the states of the archive state machine that write objects.
const (
	transferState = "Transfer"
	unpackState   = "Unpack"
)

// Progress is what an execution's history says about where it is. Nothing of it is a secret: signed URLs are left
// out.
type Progress struct {
	State string // the state that was entered last
	// Job and Destination are set once Scenario has taken the request.
	Job         archive.Job
	LaunchedAt  time.Time
	Deadline    time.Time
	Destination archive.Destination
	// Polled is set once the job has been looked at: its status in Scenario's words, and 0 to 1.
	Polled         bool
	ScenarioStatus string
	JobProgress    float64
	// BytesDone and BytesTotal are of the transfer, known when one of its functions has handed over to the next.
	BytesDone, BytesTotal int64
	// RetryError and RetryCause say why the current state is being tried again.
	RetryError, RetryCause string
}

// Progress reads where an execution of the archive state machine is.
func (m *Machine) Progress(ctx context.Context, name string) (Progress, error) {
	var r historyReader
	err := m.history(ctx, name, func(e types.HistoryEvent) bool {
		r.read(e)
		return r.done()
	})
	return r.Progress, err
}

// history calls read with an execution's last events, the newest first, until it has seen enough.
func (m *Machine) history(ctx context.Context, name string, read func(types.HistoryEvent) (enough bool)) error {
	arn := m.ARN(name)
	in := &sfn.GetExecutionHistoryInput{
		ExecutionArn: &arn, ReverseOrder: true, MaxResults: historyPage, IncludeExecutionData: aws.Bool(true),
	}
	for range historyPages {
		out, err := m.api.GetExecutionHistory(ctx, in)
		if err != nil {
			return classify("read the execution's history", err)
		}
		for _, e := range out.Events {
			if read(e) {
				return nil
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return nil
}

// stateData is what the archive's state machine carries from state to state.
type stateData struct {
	Job         *archive.Job        `json:"job"`
	LaunchedAt  time.Time           `json:"launchedAt"`
	Deadline    time.Time           `json:"deadline"`
	Destination archive.Destination `json:"destination"`
	Poll        struct {
		Status         archive.PollStatus `json:"status"`
		ScenarioStatus string             `json:"scenarioStatus"`
		Progress       float64            `json:"progress"`
	} `json:"poll"`
	Transfer *struct {
		Finished bool `json:"finished"`
	} `json:"transfer"`
}

// historyReader takes events from the newest to the oldest, and keeps the first of each kind.
type historyReader struct {
	Progress
	haveData      bool
	transferAgain bool // a transfer handed over: how far it was stands further back
}

func (r *historyReader) done() bool {
	return r.State != "" && r.haveData && (!r.transferAgain || r.BytesTotal > 0)
}

func (r *historyReader) read(e types.HistoryEvent) {
	if d := e.StateExitedEventDetails; d != nil {
		r.data(aws.ToString(d.Output))
	}
	if d := e.StateEnteredEventDetails; d != nil {
		if r.State == "" {
			r.State = aws.ToString(d.Name)
		}
		r.data(aws.ToString(d.Input))
	}
	if d := e.TaskSucceededEventDetails; d != nil {
		r.taskOutput(aws.ToString(d.Output))
	}
	if r.State == "" && r.RetryError == "" { // of the state that was entered last: its entry is yet to come
		r.RetryError, r.RetryCause = failureOf(e)
	}
}

func failureOf(e types.HistoryEvent) (errorName, cause string) {
	switch {
	case e.TaskFailedEventDetails != nil:
		d := e.TaskFailedEventDetails
		return aws.ToString(d.Error), message(aws.ToString(d.Cause))
	case e.TaskTimedOutEventDetails != nil:
		d := e.TaskTimedOutEventDetails
		return aws.ToString(d.Error), message(aws.ToString(d.Cause))
	}
	return "", ""
}

func (r *historyReader) data(text string) {
	if r.haveData || text == "" {
		return
	}
	var d stateData
	if json.Unmarshal([]byte(text), &d) != nil || d.Job == nil || d.Job.ID == "" || d.Destination.Key == "" {
		return
	}
	r.haveData = true
	r.Job, r.LaunchedAt, r.Deadline, r.Destination = *d.Job, d.LaunchedAt, d.Deadline, d.Destination
	if d.Poll.Status != "" {
		r.Polled, r.ScenarioStatus, r.JobProgress = true, d.Poll.ScenarioStatus, d.Poll.Progress
	}
	r.transferAgain = d.Transfer != nil && !d.Transfer.Finished
}

func (r *historyReader) taskOutput(text string) {
	var d struct {
		Payload archive.TransferOutput `json:"Payload"`
	}
	if r.BytesTotal == 0 && json.Unmarshal([]byte(text), &d) == nil {
		r.BytesDone, r.BytesTotal = d.Payload.BytesDone, d.Payload.BytesTotal
	}
}

// message is what a person should read of a failed task's cause: the message of a function's error, or all of it. A cause
// may quote a state's whole input (Step Functions does, when a path is missing), and with it the signed URL of an archive:
// what signs it is cut off.
func message(cause string) string {
	var f struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &f) == nil && f.Message != "" {
		cause = f.Message
	}
	return scenario.RedactURLs(cause)
}

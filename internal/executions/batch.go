package executions

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/scenario-archive/scenario-archive/internal/batch"
)

// BatchProgress is what Step Functions reports about where an execution of the batch state machine is. Each part is nil,
// or "", until it is known.
type BatchProgress struct {
	State string // the state that was entered last
	Plan  *batch.Plan
	// Children counts the archives of the plan that were to be made, by how they stand.
	Children *Children
}

// Children are the children of a map. Failed are those that timed out or were stopped, too.
type Children struct{ Pending, Running, Succeeded, Failed int64 }

// BatchProgress reads where an execution of the batch state machine is. What could be read comes with an error about
// the rest.
func (m *Machine) BatchProgress(ctx context.Context, name string) (BatchProgress, error) {
	var p BatchProgress
	historyErr := m.history(ctx, name, func(e types.HistoryEvent) bool {
		p.read(e)
		return p.State != "" && p.Plan != nil
	})
	var mapErr error
	if p.Plan != nil && p.Plan.ToDo > 0 { // before the plan there is no map
		p.Children, mapErr = m.children(ctx, name)
	}
	return p, errors.Join(historyErr, mapErr)
}

// read takes events from the newest to the oldest.
func (p *BatchProgress) read(e types.HistoryEvent) {
	data := ""
	if d := e.StateExitedEventDetails; d != nil {
		data = aws.ToString(d.Output)
	}
	if d := e.StateEnteredEventDetails; d != nil {
		data = aws.ToString(d.Input)
		if p.State == "" {
			p.State = aws.ToString(d.Name)
		}
	}
	var state struct {
		Plan *batch.Plan `json:"plan"`
	}
	if p.Plan == nil && json.Unmarshal([]byte(data), &state) == nil {
		p.Plan = state.Plan
	}
}

// children counts those of the execution's latest map; nil when there is none yet.
func (m *Machine) children(ctx context.Context, name string) (*Children, error) {
	const op = "read the execution's map"
	arn := m.ARN(name)
	runs, err := m.api.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: &arn})
	if err != nil {
		return nil, classify(op, err)
	}
	var latest *types.MapRunListItem
	for i, r := range runs.MapRuns {
		if latest == nil || aws.ToTime(r.StartDate).After(aws.ToTime(latest.StartDate)) {
			latest = &runs.MapRuns[i]
		}
	}
	if latest == nil {
		return nil, nil
	}
	d, err := m.api.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: latest.MapRunArn})
	if err != nil {
		return nil, classify(op, err)
	}
	return childrenOf(d.ExecutionCounts), nil
}

func childrenOf(c *types.MapRunExecutionCounts) *Children {
	if c == nil {
		return nil
	}
	return &Children{c.Pending + aws.ToInt64(c.PendingRedrive), c.Running, c.Succeeded, c.Failed + c.TimedOut + c.Aborted}
}

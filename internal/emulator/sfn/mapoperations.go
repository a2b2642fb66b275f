package sfn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Counts says how many children, or items, stand how.
type Counts struct {
	Pending   int `json:"pending"`
	Running   int `json:"running"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	TimedOut  int `json:"timedOut"`
	Aborted   int `json:"aborted"`
	Total     int `json:"total"`
	Written   int `json:"resultsWritten"`

	PendingRedrive int `json:"pendingRedrive"`
}

// MapRun is what DescribeMapRun answers, and in part ListMapRuns.
type MapRun struct {
	ARN                        string     `json:"mapRunArn"`
	ExecutionARN               string     `json:"executionArn"`
	StateMachineARN            string     `json:"stateMachineArn"`
	Status                     asl.Status `json:"status"`
	StartDate                  Timestamp  `json:"startDate"`
	StopDate                   Timestamp  `json:"stopDate,omitzero"` // zero while it runs
	Executions                 Counts     `json:"executionCounts"`   // Total is 0 until the items have been counted
	MaxConcurrency             int        `json:"maxConcurrency"`
	ToleratedFailurePercentage float64    `json:"toleratedFailurePercentage"`
	RedriveCount               int        `json:"redriveCount"`
	RedriveDate                Timestamp  `json:"redriveDate,omitzero"` // zero: never
}

// MapRun is DescribeMapRun of the API.
func (s *Service) MapRun(arn string) (MapRun, error) {
	r, err := s.findRun(arn)
	if err != nil {
		return MapRun{}, err
	}
	return r.describe(), nil
}

// MapRuns are the Map Runs of an execution, newest first.
func (s *Service) MapRuns(executionARN string) ([]MapRun, error) {
	e, err := s.findExecution(executionARN)
	if err != nil {
		return nil, err
	}
	var list []MapRun
	for _, r := range s.allRuns() {
		if r.parent == e {
			list = append(list, r.describe())
		}
	}
	slices.SortFunc(list, func(a, b MapRun) int { return b.StartDate.Compare(a.StartDate.Time) })
	return list, nil
}

func (s *Service) allRuns() []*mapRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.runs))
}

func (s *Service) findRun(arn string) (*mapRun, error) {
	if err := invalidARN(arn, "mapRun", 2); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.runs[arn]; r != nil {
		return r, nil
	}
	return nil, &APIError{"ResourceNotFound", fmt.Sprintf("Map Run Does Not Exist: '%s'", arn)}
}

func (r *mapRun) describe() MapRun {
	r.mu.Lock()
	record := r.record
	r.mu.Unlock()
	d := MapRun{
		ARN: record.ARN, ExecutionARN: record.ExecutionARN, StateMachineARN: r.parent.machine.arn, Status: record.Status,
		StartDate: Timestamp{record.Start}, StopDate: Timestamp{record.Stop}, MaxConcurrency: record.MaxConcurrency,
		Executions:                 Counts{Total: record.Children, Written: record.Written},
		ToleratedFailurePercentage: record.ToleratedPercentage, RedriveCount: record.Redrives, RedriveDate: Timestamp{record.Redriven},
	}
	r.countChildren(&d)
	return d
}

func (r *mapRun) countChildren(d *MapRun) {
	c := &d.Executions
	counters := map[asl.Status]*int{
		asl.StatusRunning: &c.Running, asl.StatusSucceeded: &c.Succeeded, asl.StatusFailed: &c.Failed,
		asl.StatusTimedOut: &c.TimedOut, asl.StatusAborted: &c.Aborted,
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, e := range r.children.executions {
		if d.Status == asl.StatusRunning && e.awaitsRedrive(d.RedriveDate.Time) {
			c.PendingRedrive++
			continue
		}
		*counters[e.status]++
	}
	c.Pending = max(0, c.Total-len(r.children.executions))
}

type mapRunInput struct {
	ARN string `json:"mapRunArn"`
}

func describeMapRun(s *Service, in mapRunInput) (any, error) {
	d, err := s.MapRun(in.ARN)
	if err != nil {
		return nil, err
	}
	return struct {
		MapRun
		ToleratedCount int    `json:"toleratedFailureCount"`
		Items          Counts `json:"itemCounts"` // those of the children: each has one item
	}{d, 0, d.Executions}, nil
}

func listMapRuns(s *Service, in executionInput) (any, error) {
	runs, err := s.MapRuns(in.ARN)
	if err != nil {
		return nil, err
	}
	return map[string][]MapRun{"mapRuns": append([]MapRun{}, runs...)}, nil // all at once: an execution has few
}

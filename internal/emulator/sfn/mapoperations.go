package sfn

import (
	"fmt"
	"slices"
	"time"

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

// MapRun is what DescribeMapRun answers.
type MapRun struct {
	ARN, ExecutionARN, StateMachineARN string
	Status                             asl.Status
	StartDate, StopDate                time.Time // StopDate is zero while it runs
	Executions                         Counts    // Total is 0 until the items have been counted
	MaxConcurrency                     int
	ToleratedFailurePercentage         float64
	RedriveCount                       int
	RedriveDate                        time.Time // zero: never
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
	for _, r := range s.runsOf(e) {
		list = append(list, r.describe())
	}
	slices.SortFunc(list, func(a, b MapRun) int { return b.StartDate.Compare(a.StartDate) })
	return list, nil
}

func (s *Service) runsOf(e *execution) []*mapRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*mapRun
	for _, r := range s.runs {
		if r.parent == e {
			list = append(list, r)
		}
	}
	return list
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
		StartDate: record.Start, StopDate: record.Stop, MaxConcurrency: record.MaxConcurrency,
		Executions:                 Counts{Total: record.Children, Written: record.Written},
		ToleratedFailurePercentage: record.ToleratedPercentage, RedriveCount: record.Redrives, RedriveDate: record.Redriven,
	}
	r.countChildren(&d)
	return d
}

func (r *mapRun) countChildren(d *MapRun) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, e := range r.children.executions {
		if d.Status == asl.StatusRunning && e.awaitsRedrive(d.RedriveDate) {
			d.Executions.PendingRedrive++
			continue
		}
		d.Executions.add(e.status)
	}
	d.Executions.Pending = max(0, d.Executions.Total-len(r.children.executions))
}

func (c *Counts) add(status asl.Status) {
	switch status {
	case asl.StatusRunning:
		c.Running++
	case asl.StatusSucceeded:
		c.Succeeded++
	case asl.StatusFailed:
		c.Failed++
	case asl.StatusTimedOut:
		c.TimedOut++
	case asl.StatusAborted:
		c.Aborted++
	}
}

type mapRunInput struct {
	ARN string `json:"mapRunArn"`
}

type describedRun struct {
	ARN                 string     `json:"mapRunArn"`
	ExecutionARN        string     `json:"executionArn"`
	Status              asl.Status `json:"status"`
	Start               timestamp  `json:"startDate"`
	Stop                *timestamp `json:"stopDate,omitempty"`
	MaxConcurrency      int        `json:"maxConcurrency"`
	ToleratedCount      int        `json:"toleratedFailureCount"`
	ToleratedPercentage float64    `json:"toleratedFailurePercentage"`
	Items               Counts     `json:"itemCounts"` // those of the children: each has one item
	Executions          Counts     `json:"executionCounts"`
	RedriveCount        int        `json:"redriveCount"`
	RedriveDate         *timestamp `json:"redriveDate,omitempty"`
}

func describeMapRun(s *Service, in mapRunInput) (any, error) {
	d, err := s.MapRun(in.ARN)
	if err != nil {
		return nil, err
	}
	return describedRun{
		d.ARN, d.ExecutionARN, d.Status, timestamp(d.StartDate), optional(d.StopDate), d.MaxConcurrency,
		0, d.ToleratedFailurePercentage, d.Executions, d.Executions, d.RedriveCount, optional(d.RedriveDate),
	}, nil
}

type listRunsInput struct {
	page
	executionInput
}

type listedRun struct {
	ExecutionARN    string     `json:"executionArn"`
	ARN             string     `json:"mapRunArn"`
	StateMachineARN string     `json:"stateMachineArn"`
	Start           timestamp  `json:"startDate"`
	Stop            *timestamp `json:"stopDate,omitempty"`
}

func listMapRuns(s *Service, in listRunsInput) (any, error) {
	runs, err := s.MapRuns(in.ARN)
	if err != nil {
		return nil, err
	}
	first, last, next, err := in.window("map runs "+in.ARN, len(runs))
	if err != nil {
		return nil, err
	}
	out := struct {
		Runs []listedRun `json:"mapRuns"`
		Next string      `json:"nextToken,omitempty"`
	}{[]listedRun{}, next}
	for _, r := range runs[first:last] {
		out.Runs = append(out.Runs, listedRun{
			r.ExecutionARN, r.ARN, r.StateMachineARN, timestamp(r.StartDate), optional(r.StopDate),
		})
	}
	return out, nil
}

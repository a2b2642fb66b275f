package system

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// task is what the archive state machine asks the transfer function for.
type task struct {
	Job         json.RawMessage `json:"job"`
	ArchiveURL  string          `json:"archiveUrl"`
	Destination json.RawMessage `json:"destination"`
	Execution   struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		StartTime string `json:"startTime"`
	} `json:"execution"`
	Abort bool `json:"abort"`
}

// Abandon stops an execution and leaves nothing of it in S3: its transfer is killed (AWS would let it run to its end),
// its upload aborted by the transfer function itself, and its object removed if it appeared at the last moment. It does
// nothing to an execution that has succeeded before, and then returns false.
func (s *System) Abandon(ctx context.Context, executionARN string) (bool, error) {
	if _, err := s.StepFunctions.Stop(executionARN, "Interrupted", "the run was interrupted"); err != nil {
		return false, err
	}
	e, err := s.StepFunctions.Describe(executionARN)
	if err != nil || e.Status == asl.StatusSucceeded {
		return false, err
	}
	if e.StateMachineARN == machineARN(BatchMachine) {
		return true, s.abandonAll(ctx, asl.StatusAborted) // what was stopped with it
	}
	last, err := s.lastTransfer(executionARN)
	if err != nil || last == nil {
		return true, err
	}
	s.Functions.KillFunction("transfer")
	last.Abort, last.ArchiveURL = true, ""
	payload, err := json.Marshal(last)
	if err != nil {
		return true, err
	}
	answer, functionError, err := s.Functions.Invoke(ctx, "transfer", payload)
	if err != nil {
		return true, err
	}
	if functionError != "" {
		return true, fmt.Errorf("abort the upload: %s", answer)
	}
	if err := s.abandonUnpacking(ctx, last); err != nil {
		return true, err
	}
	return true, s.removeObject(ctx, last)
}

// abandonUnpacking ends the unpacking of an archive, if it has one. Objects that it has written stay: they are whole.
func (s *System) abandonUnpacking(ctx context.Context, last *task) error {
	var d struct {
		Unpack json.RawMessage `json:"unpack"`
	}
	if err := json.Unmarshal(last.Destination, &d); err != nil || d.Unpack == nil {
		return err
	}
	s.Functions.KillFunction("unpack")
	payload, err := json.Marshal(last)
	if err != nil {
		return err
	}
	answer, functionError, err := s.Functions.Invoke(ctx, "unpack", payload)
	if err == nil && functionError != "" {
		err = fmt.Errorf("end the unpacking: %s", answer)
	}
	return err
}

// AbandonLeft abandons what a killed system has left running, and returns how many executions that were.
func (s *System) AbandonLeft(ctx context.Context) (int, error) {
	left, _, err := s.StepFunctions.List(machineARN(ArchiveMachine), asl.StatusRunning, 0, "")
	if err != nil {
		return 0, err
	}
	if err := s.stopBatches(); err != nil { // first, or they would start more
		return 0, err
	}
	for _, e := range left {
		if _, err := s.Abandon(ctx, e.ARN); err != nil {
			return 0, err
		}
	}
	return len(left), nil
}

func (s *System) stopBatches() error {
	batches, _, err := s.StepFunctions.List(machineARN(BatchMachine), asl.StatusRunning, 0, "")
	for _, e := range batches {
		if err == nil {
			_, err = s.StepFunctions.Stop(e.ARN, "Interrupted", "the run was interrupted")
		}
	}
	return err
}

// abandonAll abandons each execution of the archive state machine that has this status.
func (s *System) abandonAll(ctx context.Context, status asl.Status) error {
	for from := ""; ; {
		page, next, err := s.StepFunctions.List(machineARN(ArchiveMachine), status, 0, from)
		if err != nil {
			return err
		}
		for _, e := range page {
			if _, err := s.Abandon(ctx, e.ARN); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		from = next
	}
}

// lastTransfer finds what the transfer function was asked for last, or nil when it was not asked.
func (s *System) lastTransfer(executionARN string) (*task, error) {
	for from := ""; ; {
		page, next, err := s.StepFunctions.History(executionARN, true, 1000, from)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if t := s.transferTask(e); t != nil {
				return t, nil
			}
		}
		if next == "" {
			return nil, nil
		}
		from = next
	}
}

func (s *System) transferTask(e asl.Event) *task {
	var p struct {
		FunctionName string
		Payload      task
	}
	if e.Type != "TaskScheduled" || json.Unmarshal([]byte(e.Details.Parameters), &p) != nil ||
		p.FunctionName != s.Functions.ARN("transfer") {
		return nil
	}
	return &p.Payload
}

// removeObject removes the object at the execution's destination if this very execution has written it.
func (s *System) removeObject(ctx context.Context, t *task) error {
	var d struct {
		Bucket string `json:"bucket"`
		Key    string `json:"key"`
	}
	if err := json.Unmarshal(t.Destination, &d); err != nil {
		return err
	}
	client, err := s.storage()
	if err != nil {
		return err
	}
	defer client.close()
	writer, err := client.metadata(ctx, d.Bucket, d.Key, "scenario-execution")
	if err != nil || writer != url.PathEscape(t.Execution.Name) {
		return err
	}
	return client.remove(ctx, d.Bucket, d.Key)
}

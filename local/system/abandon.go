package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

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
	last.Abort, last.ArchiveURL, last.Request = true, "", nil
	err = s.abort(ctx, "transfer", last)
	if err == nil && last.Destination.Unpack != nil {
		err = s.abort(ctx, "unpack", last) // objects that it has written stay: they are whole
	}
	if err == nil {
		err = s.removeObject(ctx, last)
	}
	return true, err
}

// abort kills a function and has it end what it has begun.
func (s *System) abort(ctx context.Context, function string, in *archive.TransferInput) error {
	s.Functions.KillFunction(function)
	payload, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, functionError, err := s.Functions.Invoke(ctx, function, payload)
	if err == nil && functionError != "" {
		err = fmt.Errorf("abort what %s has begun: %s", function, answer)
	}
	return err
}

// AbandonLeft abandons what a killed system has left running, and returns how many executions that were.
func (s *System) AbandonLeft(ctx context.Context) (left int, err error) {
	for _, machine := range []string{BatchMachine, ArchiveMachine} { // batches first, or they would start more
		running, _, err := s.StepFunctions.List(machineARN(machine), asl.StatusRunning, 0, "")
		if err != nil {
			return 0, err
		}
		for _, e := range running {
			if _, err := s.Abandon(ctx, e.ARN); err != nil {
				return 0, err
			}
		}
		left += len(running)
	}
	return left, nil
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
func (s *System) lastTransfer(executionARN string) (*archive.TransferInput, error) {
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

func (s *System) transferTask(e asl.Event) *archive.TransferInput {
	var p struct {
		FunctionName string
		Payload      archive.TransferInput
	}
	if e.Type != "TaskScheduled" || json.Unmarshal([]byte(e.Details.Parameters), &p) != nil ||
		p.FunctionName != s.Functions.ARN("transfer") {
		return nil
	}
	return &p.Payload
}

// removeObject removes the object at the execution's destination if this very execution has written it.
func (s *System) removeObject(ctx context.Context, in *archive.TransferInput) error {
	client, closeIdle, err := s.S3.Connect(storageTime)
	if err != nil {
		return err
	}
	defer closeIdle()
	bucket, key := &in.Destination.Bucket, &in.Destination.Key
	head, err := client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: bucket, Key: key})
	var missing *types.NotFound
	switch {
	case errors.As(err, &missing):
		return nil
	case err != nil:
		return err
	case head.Metadata["scenario-execution"] != url.PathEscape(in.Execution.Name):
		return nil
	}
	_, err = client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: bucket, Key: key})
	return err
}

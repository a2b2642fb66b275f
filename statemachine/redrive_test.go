package statemachine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/sfntest"
)

// TestArchiveRedriven redrives an archive that was stopped while its job ran: the wait begins again, and the job is not
// launched twice. One that ended in a Fail state ends there again, with the same error, as AWS does it: what is wanted then
// is a new execution.
func TestArchiveRedriven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := map[string]int{}
		corrupt := false
		lambda := sfntest.Lambda(func(_ context.Context, function string, _ []byte) (any, error) {
			calls[function]++
			switch {
			case function == "launch":
				return sfntest.Launched(3600), nil
			case function == "poll":
				return sfntest.Polled("success", 1), nil
			case corrupt:
				return nil, &sfntest.FunctionError{Type: "ArchiveCorrupt", Message: "the checksum differs"}
			}
			return map[string]any{"finished": true, "output": map[string]any{"key": "k.zip"}}, nil
		})
		s := sfntest.Start(t, sfntest.WithLambda(lambda), sfntest.InFullLength)
		client := s.Client()
		begin := func(name string) *string {
			out, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{
				StateMachineArn: aws.String(sfntest.MachineARN), Name: &name, Input: aws.String(`{"query":{"assetIds":["asset_1"]}}`),
			})
			if err != nil {
				t.Fatal(err)
			}
			return out.ExecutionArn
		}
		stopped := begin("stopped")
		time.Sleep(30 * time.Minute) // in the Wait
		if _, err := client.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: stopped}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * 24 * time.Hour) // longer than an execution may take
		if _, err := client.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: stopped}); err != nil {
			t.Fatal(err)
		}
		e, err := s.Wait(t.Context(), *stopped)
		if err != nil || e.Status != "SUCCEEDED" || e.StopDate.Sub(e.RedriveDate.Time) != time.Hour || calls["launch"] != 1 || calls["poll"] != 1 {
			t.Errorf("got %+v, %v, called %v", e, err, calls)
		}
		corrupt = true
		failed := begin("failed")
		for range 2 {
			if e, err := s.Wait(t.Context(), *failed); err != nil || e.Error != "ArchiveCorrupt" {
				t.Errorf("got %+v, %v", e, err)
			}
			before := calls["transfer"]
			if _, err := client.RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: failed}); err != nil {
				t.Fatal(err)
			}
			if e, err := s.Wait(t.Context(), *failed); err != nil || e.Error != "ArchiveCorrupt" || calls["transfer"] != before {
				t.Errorf("redriven: %+v, %v, called %v", e, err, calls)
			}
		}
	})
}

package asl

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// archive is the definition that is deployed, executed as it is with scripted functions.
func archive(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../../statemachine/archive.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "${Partition}", "aws")
}

// script answers the functions by name, each by a list of answers of which the last one repeats. An answer that starts
// with ! is an error: its name, or the JSON of a function's error.
type script map[string][]string

func (s script) run(_ context.Context, task Task) (json.RawMessage, error) {
	var p struct {
		FunctionName string
		Payload      struct{ Abort bool }
	}
	if err := json.Unmarshal(task.Parameters, &p); err != nil {
		return nil, err
	}
	name := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(p.FunctionName, "${"), "FunctionArn}"))
	if p.Payload.Abort {
		name = "abort"
	}
	answers := s[name]
	if len(answers) == 0 {
		return json.RawMessage(`{"Payload":{}}`), nil
	}
	if len(answers) > 1 {
		s[name] = answers[1:]
	}
	failure, failed := strings.CutPrefix(answers[0], "!")
	if !failed {
		return json.RawMessage(`{"Payload":` + answers[0] + `}`), nil
	}
	var e struct{ ErrorType string }
	if json.Unmarshal([]byte(failure), &e) == nil {
		return nil, &Error{e.ErrorType, failure}
	}
	return nil, &Error{failure, ""}
}

const (
	launched = `{"job":{"jobId":"j","endpoint":"archive","projectId":""},"launchedAt":"2026-01-02T03:04:05Z","deadline":"2026-01-02T04:04:05Z","waitSeconds":1,"destination":{"bucket":"b","key":"k"}}`
	running  = `{"status":"running","scenarioStatus":"warming-up","progress":0.5,"waitSeconds":3,"archiveUrl":"","cause":""}`
	ready    = `{"status":"success","scenarioStatus":"success","progress":1,"waitSeconds":0,"archiveUrl":"https://cdn.example/a.zip","cause":""}`
	moved    = `{"finished":true,"output":{"bucket":"b","key":"k","size":12345678901234567890,"entries":2}}`
	partly   = `{"finished":false,"output":null}`
	expired  = `!{"errorMessage":"the archive's URL has expired","errorType":"ArchiveURLExpired"}`
)

func poll(status string) string {
	return `{"status":"` + status + `","scenarioStatus":"","progress":0,"waitSeconds":0,"archiveUrl":"","cause":"why ` + status + `"}`
}

func TestArchiveDefinition(t *testing.T) {
	t.Parallel()
	const output = `{"bucket":"b","key":"k","size":12345678901234567890,"entries":2}`
	for name, c := range map[string]struct {
		script                        script
		output, errorName, cause, via string // via: states that must be passed
	}{
		"success":           {script{"launch": {launched}, "poll": {running, running, ready}, "transfer": {moved}}, output, "", "", "Launch Wait Poll CheckJob Wait Poll CheckJob Wait Poll CheckJob Transfer CheckTransfer Done"},
		"in steps":          {script{"launch": {launched}, "poll": {ready}, "transfer": {partly, partly, moved}}, output, "", "", "Transfer CheckTransfer Transfer CheckTransfer Transfer CheckTransfer Done"},
		"expired":           {script{"launch": {launched}, "poll": {ready}, "transfer": {expired, moved}}, output, "", "", "Transfer CountExpiry"},
		"lost functions":    {script{"launch": {"!Lambda.TooManyRequestsException", launched}, "poll": {"!Sandbox.Timedout", ready}, "transfer": {"!Lambda.Unknown", "!Runtime.ExitError", moved}}, output, "", "", "Done"},
		"bad request":       {script{"launch": {`!{"errorMessage":"1001 assets","errorType":"RequestInvalid"}`}}, "", "RequestInvalid", "1001 assets", "Launch LaunchFailed ReadCause ParseCause Failed"},
		"rate limited":      {script{"launch": {`!{"errorMessage":"slow down","errorType":"RateLimited"}`}}, "", "RateLimited", "slow down", "Launch LaunchFailed ReadCause"},
		"job fails":         {script{"launch": {launched}, "poll": {poll("failure")}}, "", "JobFailed", "why failure", "JobFailed"},
		"job is canceled":   {script{"launch": {launched}, "poll": {poll("canceled")}}, "", "JobCanceled", "why canceled", "JobCanceled"},
		"deadline":          {script{"launch": {launched}, "poll": {running, poll("timed-out")}}, "", "JobTimedOut", "why timed-out", "JobTimedOut"},
		"corrupt":           {script{"launch": {launched}, "poll": {ready}, "transfer": {`!{"errorMessage":"CRC","errorType":"ArchiveCorrupt"}`}}, "", "ArchiveCorrupt", "CRC", "Transfer AbortUpload ReadCause ParseCause Failed"},
		"abort fails too":   {script{"launch": {launched}, "poll": {ready}, "transfer": {`!{"errorMessage":"CRC","errorType":"ArchiveCorrupt"}`}, "abort": {`!{"errorMessage":"no","errorType":"DestinationUnavailable"}`}}, "", "ArchiveCorrupt", "CRC", "AbortUpload ReadCause ParseCause Failed"},
		"timeouts for ever": {script{"launch": {launched}, "poll": {"!States.Timeout"}}, "", "StepFailed", "States.Timeout", "AbortUpload ReadCause StepFailed"},
	} {
		o := execute(t, archive(t), `{"query":{"assetIds":["a"]}}`, c.script.run)
		if string(o.Output) != c.output || o.Error != c.errorName || !strings.Contains(o.Cause, c.cause) {
			t.Errorf("%s: %s %s %q %q", name, o.Status, o.Output, o.Error, o.Cause)
		}
		if states := o.hist.names("StateEntered"); !strings.Contains(states, c.via) {
			t.Errorf("%s: went by %s", name, states)
		}
	}
}

// TestArchiveRetryDelays pins how the deployed Retry asks the clock; the jitter source gives 0.5.
func TestArchiveRetryDelays(t *testing.T) {
	t.Parallel()
	rate := `!{"errorMessage":"slow down","errorType":"RateLimited"}`
	s := script{"launch": append(slices.Repeat([]string{rate}, 8), launched), "poll": {ready}, "transfer": {moved}}
	o := execute(t, archive(t), `{}`, s.run)
	if o.Status != StatusSucceeded {
		t.Fatalf("%s %s %s", o.Status, o.Error, o.Cause)
	}
	var seconds []float64
	for _, d := range o.clock.sleeps[:8] {
		seconds = append(seconds, d.Seconds())
	}
	if want := []float64{2.5, 5, 10, 20, 40, 80, 150, 150}; !slices.Equal(seconds, want) {
		t.Errorf("slept %v, want %v", seconds, want)
	}
}

// TestUnreadCauses are errors whose cause is not a function's JSON.
func TestUnreadCauses(t *testing.T) {
	t.Parallel()
	s := script{"launch": {"!Lambda.ResourceNotFoundException"}}
	o := execute(t, archive(t), `{}`, s.run)
	wantFailure(t, o, "StepFailed", `"Error":"Lambda.ResourceNotFoundException"`)
}

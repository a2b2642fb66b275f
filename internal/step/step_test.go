package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda/lambdatest"
)

func TestMain(m *testing.M) {
	lambdatest.Main(m, func() { Start("test", build) })
}

// event says how the test function is to end.
type event struct {
	Execution archive.Execution `json:"execution"`
	JobID     string            `json:"jobId"`
	Fail      string            `json:"fail"`
}

func (e event) For() (archive.Execution, string) { return e.Execution, e.JobID }

func build(getenv func(string) string) (Logic[event, string], error) {
	if getenv("BROKEN") != "" {
		return nil, errors.New("BUCKET is not set")
	}
	return func(_ context.Context, log *slog.Logger, e event) (string, error) {
		log.Info("in the step")
		if e.Fail == "panic" {
			panic("lost")
		}
		if e.Fail == "" {
			return "done", nil
		}
		name, wrapped := strings.CutPrefix(e.Fail, "wrapped ")
		if n, ok := names[name]; ok {
			err := error(archive.NewError(n, errors.New("cause"), "what to change"))
			if wrapped {
				err = fmt.Errorf("item 3: %w", err)
			}
			return "", err
		}
		return "", errors.New(e.Fail)
	}, nil
}

// names are the contract: the state machine, and the person who reads an execution, know the errors by them.
var names = map[string]archive.Name{
	"RequestInvalid":         archive.RequestInvalid,
	"Unauthorized":           archive.Unauthorized,
	"RateLimited":            archive.RateLimited,
	"ScenarioUnavailable":    archive.ScenarioUnavailable,
	"LaunchUncertain":        archive.LaunchUncertain,
	"JobFailed":              archive.JobFailed,
	"JobCanceled":            archive.JobCanceled,
	"JobTimedOut":            archive.JobTimedOut,
	"ArchiveURLExpired":      archive.ArchiveURLExpired,
	"ArchiveChanged":         archive.ArchiveChanged,
	"ArchiveCorrupt":         archive.ArchiveCorrupt,
	"ArchiveIncomplete":      archive.ArchiveIncomplete,
	"ArchiveUnsupported":     archive.ArchiveUnsupported,
	"ArchiveTooLarge":        archive.ArchiveTooLarge,
	"SourceForbidden":        archive.SourceForbidden,
	"SourceUnavailable":      archive.SourceUnavailable,
	"DestinationConflict":    archive.DestinationConflict,
	"DestinationRefused":     archive.DestinationRefused,
	"DestinationUnavailable": archive.DestinationUnavailable,
	"BatchFailed":            archive.BatchFailed,
	"Misconfigured":          archive.Misconfigured,
	"Internal":               archive.Internal,
}

func TestHandler(t *testing.T) {
	t.Parallel()
	logic, err := build(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	handle := Handler(slog.New(slog.NewJSONHandler(&text, nil)), logic)
	for in, want := range map[string]string{
		`{"execution":{"name":"x"}}`:     "",
		`{"fail":"RateLimited"}`:         "RateLimited",
		`{"fail":"wrapped RateLimited"}`: "RateLimited",
		`{"fail":"something else"}`:      "Internal",
		`[]`:                             "RequestInvalid",
	} {
		out, err := handle(t.Context(), json.RawMessage(in))
		var named messages.InvokeResponse_Error
		if errors.As(err, &named); named.Type != want || (want == "") != (out == "done") {
			t.Errorf("%s: got %q, %v; want %s", in, out, err, want)
		}
	}
	for _, want := range []string{`"msg":"step done"`, `"msg":"event refused"`, `"error":"Internal"`, `"execution":"x"`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, text.String())
		}
	}
}

func TestNamedErrorsThroughTheRuntime(t *testing.T) {
	t.Parallel()
	f := lambdatest.Start(t, nil)
	for name := range names {
		for fail, message := range map[string]string{name: "what to change", "wrapped " + name: "item 3: what to change"} {
			a := f.Invoke(t, event{Fail: fail})
			want := `{"errorMessage":"` + message + `","errorType":"` + name + `"}`
			if !a.Failed || string(a.Body) != want {
				t.Errorf("%s: got %s, want %s", fail, a.Body, want)
			}
		}
	}
}

func TestOtherEndsThroughTheRuntime(t *testing.T) {
	t.Parallel()
	f := lambdatest.Start(t, map[string]string{"LOG_LEVEL": "debug"})
	if a := f.Invoke(t, event{}); a.Failed || string(a.Body) != `"done"` {
		t.Errorf("success: got %s", a.Body)
	}
	for name, c := range map[string]struct {
		event any
		want  string
	}{
		"an error without a name":    {event{Fail: "oops"}, `{"errorMessage":"unexpected: oops","errorType":"Internal"}`},
		"an event of another shape":  {[]int{1}, `"errorType":"RequestInvalid"`},
		"an execution of wrong type": {map[string]any{"execution": 1}, `"errorType":"RequestInvalid"`},
	} {
		if a := f.Invoke(t, c.event); !a.Failed || !strings.Contains(string(a.Body), c.want) {
			t.Errorf("%s: got %s, want %s", name, a.Body, c.want)
		}
	}
}

func TestAPanicIsLoggedAndEndsTheProcess(t *testing.T) {
	t.Parallel()
	f := lambdatest.Start(t, nil)
	if a := f.Invoke(t, event{Fail: "panic"}); a.ErrorType() != "Internal" || !strings.Contains(string(a.Body), "panicked: lost") {
		t.Errorf("got %s", a.Body)
	}
	if logs := f.Logs(); !strings.Contains(logs, `"msg":"panic"`) || !strings.Contains(logs, "step_test.go") {
		t.Errorf("the panic and where it was are not logged:\n%s", logs)
	}
}

func TestABrokenDeploymentIsNamed(t *testing.T) {
	t.Parallel()
	f := lambdatest.Start(t, map[string]string{"BROKEN": "1"})
	for range 2 { // it keeps answering
		a := f.Invoke(t, event{})
		if a.ErrorType() != "Misconfigured" || !strings.Contains(string(a.Body), "BUCKET is not set") {
			t.Errorf("got %s", a.Body)
		}
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	f := lambdatest.Start(t, nil)
	e := event{Execution: archive.Execution{ID: "arn:1", Name: "run-1"}, JobID: "job_1"}
	f.Invoke(t, e)
	e.Fail = "JobFailed"
	f.Invoke(t, e)
	logs := strings.TrimSpace(f.Logs())
	lines := strings.Split(logs, "\n")
	want := []string{"in the step", "step done", "in the step", "step failed", "metrics"}
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(want), logs)
	}
	first := requestID(lines[0])
	for i, line := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("line %d is not JSON: %s", i, line)
		}
		for field, value := range map[string]string{"msg": want[i], "function": "test",
			"execution": "run-1", "executionArn": "arn:1", "jobId": "job_1"} {
			if got[field] != value {
				t.Errorf("line %d: %s is %v, want %q", i, field, got[field], value)
			}
		}
		if id, _ := got["requestId"].(string); len(id) != 36 || (id == first) != (i < 2) {
			t.Errorf("line %d: requestId %q, in the first line %q", i, id, first)
		}
	}
	if !strings.Contains(lines[3], `"error":"JobFailed","cause":"what to change"`) {
		t.Errorf("the failure is not logged: %s", lines[3])
	}
	if !strings.Contains(lines[4], `"level":"INFO"`) || !strings.Contains(lines[4], `"Error":"JobFailed"`) {
		t.Errorf("the failure is not counted: %s", lines[4])
	}
}

func requestID(line string) string {
	var l struct {
		RequestID string `json:"requestId"`
	}
	_ = json.Unmarshal([]byte(line), &l) // an empty one is none of those that are asked for
	return l.RequestID
}

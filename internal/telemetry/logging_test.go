package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

func TestLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{
		"debug": "DEBUG INFO WARN ERROR INFO", "INFO": "INFO WARN ERROR INFO", "warn": "WARN ERROR INFO",
		"error": "ERROR INFO", "": "INFO WARN ERROR INFO", "loud": "INFO WARN ERROR INFO",
	} {
		var b bytes.Buffer
		log := newLogger(&b, "test", level)
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, metricLevel} {
			log.Log(t.Context(), l, "hello")
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			var fields struct{ Level, Function string }
			if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.Function != "test" {
				t.Errorf("%q: %v: %s", level, err, line)
			}
			got = append(got, fields.Level)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %v, want %s", level, got, want)
		}
	}
}

func TestForInvocation(t *testing.T) {
	t.Parallel()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	for jobID, want := range map[string]map[string]any{
		"job_1": {"requestId": "request-1", "execution": "run-1", "executionArn": "arn:1", "jobId": "job_1"},
		"":      {"requestId": "request-1", "execution": "run-1", "executionArn": "arn:1", "jobId": nil},
	} {
		var b bytes.Buffer
		ForInvocation(ctx, newLogger(&b, "test", ""), archive.Execution{ID: "arn:1", Name: "run-1"}, jobID).Info("hello")
		var got map[string]any
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for field, value := range want {
			if got[field] != value {
				t.Errorf("%s is %v, want %v", field, got[field], value)
			}
		}
	}
}

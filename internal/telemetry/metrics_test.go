package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"
)

// line runs write with a logger that lets only errors through, and returns the line.
func line(t *testing.T, write func(*slog.Logger)) map[string]any {
	t.Helper()
	var b bytes.Buffer
	write(slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelError})).With("jobId", "job_1"))
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, b.Bytes())
	}
	return got
}

// checkDirective compares "_aws" with what the specification asks for: members of these names, and for each metric and
// dimension a member of the line's root.
func checkDirective(t *testing.T, got map[string]any, want string) {
	t.Helper()
	aws, _ := got["_aws"].(map[string]any)
	ms, _ := aws["Timestamp"].(float64)
	if age := time.Since(time.UnixMilli(int64(ms))); age < -time.Minute || age > time.Minute {
		t.Errorf("timestamp %v", aws["Timestamp"])
	}
	var definition any
	if err := json.Unmarshal([]byte(want), &definition); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(aws["CloudWatchMetrics"], definition) {
		t.Errorf("got %v, want %v", aws["CloudWatchMetrics"], definition)
	}
}

func TestLog(t *testing.T) {
	t.Setenv("STACK_NAME", "prod")
	got := line(t, func(l *slog.Logger) {
		LogMetrics(t.Context(), l, MetricOf("Polls", Count, 1), MetricOf("JobWait", Seconds, 2.5))
	})
	checkDirective(t, got, `[{"Namespace":"ScenarioArchive","Dimensions":[["Stack"]],
		"Metrics":[{"Name":"Polls","Unit":"Count"},{"Name":"JobWait","Unit":"Seconds"}]}]`)
	if got["Stack"] != "prod" || got["Polls"] != 1.0 || got["JobWait"] != 2.5 || got["jobId"] != "job_1" {
		t.Errorf("got %v", got)
	}
}

func TestLogFailure(t *testing.T) {
	t.Setenv("STACK_NAME", "")
	got := line(t, func(l *slog.Logger) { LogFailure(t.Context(), l, "JobFailed") })
	checkDirective(t, got, `[{"Namespace":"ScenarioArchive","Dimensions":[["Stack"],["Stack","Error"]],
		"Metrics":[{"Name":"Failures","Unit":"Count"}]}]`)
	if got["Stack"] != "local" || got["Error"] != "JobFailed" || got["Failures"] != 1.0 {
		t.Errorf("got %v", got)
	}
}

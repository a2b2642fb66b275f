package telemetry

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"time"
)

// Namespace is where the metrics are in CloudWatch.
const Namespace = "ScenarioArchive"

// metricLevel is above every other: metrics are no matter of how talkative the log is.
const metricLevel = slog.LevelError + 1

// Units, as CloudWatch names them.
const (
	Count          = "Count"
	Bytes          = "Bytes"
	Seconds        = "Seconds"
	BytesPerSecond = "Bytes/Second"
)

// Metric is one metric's value.
type Metric struct {
	Name  string
	Unit  string
	Value float64 `json:"-"` // is a field of the line
}

// MetricOf is a Metric in short.
func MetricOf(name, unit string, value float64) Metric { return Metric{name, unit, value} }

// LogMetrics writes values under the dimension Stack, as one line of the log, whatever its level. The line is in CloudWatch's
// embedded metric format
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
// CloudWatch makes metrics of it, nothing is called and nothing is waited for.
func LogMetrics(ctx context.Context, log *slog.Logger, values ...Metric) {
	write(ctx, log, [][]string{{"Stack"}}, values)
}

// LogFailure counts a failure by its named error: for the stack, and for the stack and the error.
func LogFailure(ctx context.Context, log *slog.Logger, name string) {
	write(ctx, log.With("Error", name), [][]string{{"Stack"}, {"Stack", "Error"}}, []Metric{MetricOf("Failures", Count, 1)})
}

func write(ctx context.Context, log *slog.Logger, dimensions [][]string, values []Metric) {
	// STACK_NAME distinguishes deployments in one account.
	attrs := []slog.Attr{slog.String("Stack", cmp.Or(os.Getenv("STACK_NAME"), "local"))}
	for _, v := range values {
		attrs = append(attrs, slog.Float64(v.Name, v.Value))
	}
	directive := map[string]any{"Namespace": Namespace, "Dimensions": dimensions, "Metrics": values}
	attrs = append(attrs, slog.Any("_aws", map[string]any{
		"Timestamp": time.Now().UnixMilli(), "CloudWatchMetrics": []any{directive},
	}))
	log.LogAttrs(ctx, metricLevel, "metrics", attrs...)
}

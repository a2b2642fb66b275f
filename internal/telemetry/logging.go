// Package telemetry is what the functions say about their work: logs, metrics as lines of the log, and X-Ray subsegments.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// NewLogger makes a function's logger: one JSON object a line on standard error, which Lambda hands to CloudWatch Logs as
// it is. The level is LOG_LEVEL (debug, info, warn, error); info when it is unset or wrong. It becomes the default: the
// runtime writes each error that a handler returns through package log, as JSON, too, and only for those who want it twice.
func NewLogger(function string) *slog.Logger {
	log := newLogger(os.Stderr, function, os.Getenv("LOG_LEVEL"))
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelDebug)
	return log
}

func newLogger(w io.Writer, function, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: l, ReplaceAttr: nameLevel}
	return slog.New(slog.NewJSONHandler(w, options)).With("function", function)
}

// nameLevel calls metrics INFO, a level that Lambda knows.
func nameLevel(_ []string, a slog.Attr) slog.Attr {
	if l, ok := a.Value.Any().(slog.Level); ok && a.Key == slog.LevelKey && l == metricLevel {
		a.Value = slog.StringValue(slog.LevelInfo.String())
	}
	return a
}

// ForInvocation adds what finds an invocation's lines again: the request ID, the execution, and the job once it is
// known.
func ForInvocation(ctx context.Context, log *slog.Logger, e archive.Execution, jobID string) *slog.Logger {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("requestId", lc.AwsRequestID)
	}
	log = log.With("execution", e.Name, "executionArn", e.ID)
	if jobID != "" {
		log = log.With("jobId", jobID)
	}
	return log
}

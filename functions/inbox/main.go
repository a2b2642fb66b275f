// Command inbox is the Lambda function that gets S3's events about objects under requests/: each request dropped there becomes an
// execution.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/scenario-archive/scenario-archive/internal/step"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
)

func main() {
	step.LimitMemory()
	log := telemetry.NewLogger("inbox")
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelDebug)
	lambda.Start(function(os.Getenv, log))
}

// Command api is the Lambda function behind API Gateway: archives are started, looked up, listed and stopped by HTTP,
// and syncs listed and made.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/scenario-archive/scenario-archive/internal/httpapi"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
)

func main() {
	log := telemetry.NewLogger("api")
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelDebug)
	lambda.Start(httpapi.Handler(handler(os.Getenv, log)))
}

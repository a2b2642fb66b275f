// Package step adapts the logic of a step to Lambda: it decodes the event, hands over a logger, logs how the step
// ended, and lets nothing out but named errors, by which the state machine acts.
package step

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/telemetry"
)

// LimitMemory has the collector work harder where it would let the process grow beyond 44 MiB of the heap: what is read from S3
// or from a list is little at any time, and garbage soon.
func LimitMemory() { debug.SetMemoryLimit(44 << 20) }

// Input is a step's event: it names the execution that it is for.
type Input interface {
	// For names the execution, and its job once there is one ("" before).
	For() (e archive.Execution, jobID string)
}

// Logic is what a step does. Its error should be or wrap an *archive.Error; any other becomes archive.Internal.
type Logic[In Input, Out any] func(ctx context.Context, log *slog.Logger, in In) (Out, error)

// Start serves a function until its environment ends. build makes the logic from the environment, once per cold
// start; when it cannot, every invocation is answered with archive.Misconfigured, which says what to set: a function
// that exits instead would only show that it exited.
func Start[In Input, Out any](function string, build func(getenv func(string) string) (Logic[In, Out], error)) {
	logic, err := build(os.Getenv)
	if err != nil {
		logic = func(context.Context, *slog.Logger, In) (out Out, _ error) {
			return out, archive.NewError(archive.Misconfigured, err, "the function is not set up: %v", err)
		}
	}
	lambda.Start(Handler(telemetry.NewLogger(function), logic))
}

// Handler is the Lambda handler of a step.
func Handler[In Input, Out any](log *slog.Logger, logic Logic[In, Out]) func(context.Context, json.RawMessage) (Out, error) {
	return func(ctx context.Context, event json.RawMessage) (out Out, err error) {
		var in In
		if err := json.Unmarshal(event, &in); err != nil {
			refused := archive.NewError(archive.RequestInvalid, err, "the event is not the step's input: %v", err)
			log.ErrorContext(ctx, "event refused", "reason", refused.Message)
			return out, LambdaError(refused)
		}
		e, job := in.For()
		log := telemetry.ForInvocation(ctx, log, e, job)
		defer namePanic(ctx, log)
		start, trace := time.Now(), telemetry.BeginSegment(ctx, "step")
		out, err = logic(ctx, log, in)
		if named, ok := any(out).(interface{ JobID() string }); ok {
			job = named.JobID() // the launch knows the job only now
		}
		trace.End(map[string]string{"jobId": job, "execution": e.Name}, err != nil)
		if err != nil {
			return out, fail(ctx, log, err)
		}
		log.InfoContext(ctx, "step done", "durationMs", time.Since(start).Milliseconds())
		return out, nil
	}
}

// namePanic logs a panic and lets it go on under a name that callers know: the runtime then ends the process, as it should.
func namePanic(ctx context.Context, log *slog.Logger) {
	if p := recover(); p != nil {
		log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		telemetry.LogFailure(ctx, log, string(archive.Internal))
		answer := LambdaError(archive.NewError(archive.Internal, nil, "the function panicked: %v. Its log has more", p))
		answer.ShouldExit = true
		panic(answer)
	}
}

func fail(ctx context.Context, log *slog.Logger, err error) error {
	answer := LambdaError(err)
	log.ErrorContext(ctx, "step failed", "error", answer.Type, "cause", answer.Message)
	telemetry.LogFailure(ctx, log, answer.Type)
	return answer
}

// LambdaError is err as the Lambda runtime reports it: the errorType is the name of the named error in its chain, the
// errorMessage is err's whole text, unless that is too long. An error without a name is archive.Internal. A Go error of any other type would be
// reported under the name of that type, which no state machine knows.
func LambdaError(err error) messages.InvokeResponse_Error {
	name := archive.NameOf(err)
	if name == "" {
		err = archive.NewError(archive.Internal, err, "unexpected: %v", err)
		name = archive.Internal
	}
	return messages.InvokeResponse_Error{Type: string(name), Message: archive.Message("%s", err)}
}

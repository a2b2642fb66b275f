package sfn

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// Invoker calls a Lambda function. functionError is Lambda's X-Amz-Function-Error: when it is not empty, result is the
// JSON of the function's error ({"errorType","errorMessage",…}). err is a failure of Lambda itself, as an [*asl.Error]
// with a Lambda.* name; any other error counts as Lambda.SdkClientException. function is what the definition names: a
// name or an ARN.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (result []byte, functionError string, err error)
}

// lambdaRunner runs the tasks of [asl.LambdaInvokeResource].
type lambdaRunner struct{ invoker Invoker }

func (l lambdaRunner) Run(ctx context.Context, t asl.Task) (json.RawMessage, error) {
	var p struct {
		FunctionName string
		Payload      json.RawMessage
	}
	if err := json.Unmarshal(t.Parameters, &p); err != nil || p.FunctionName == "" {
		return nil, &asl.Error{Name: "States.Runtime", Cause: "FunctionName must be a string that is not empty"}
	}
	if p.Payload == nil {
		p.Payload = json.RawMessage("{}")
	}
	result, functionError, err := l.invoker.Invoke(ctx, p.FunctionName, p.Payload)
	var failure *asl.Error
	switch {
	case errors.As(err, &failure):
		return nil, failure
	case err != nil:
		return nil, &asl.Error{Name: "Lambda.SdkClientException", Cause: err.Error()}
	case functionError != "":
		return nil, functionFailure(result)
	}
	return lambdaResult(result)
}

// functionFailure is what Step Functions makes of a function's error: its errorType as the name, all of its JSON as
// the cause. A function killed or timed out by Lambda comes the same way (Runtime.ExitError, Sandbox.Timedout); one
// whose answer says nothing is Lambda.Unknown.
func functionFailure(result []byte) error {
	var e struct{ ErrorType string }
	if json.Unmarshal(result, &e) != nil || e.ErrorType == "" {
		return &asl.Error{
			Name: "Lambda.Unknown",
			Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " +
				string(result),
		}
	}
	return &asl.Error{Name: e.ErrorType, Cause: string(result)}
}

// lambdaResult is the function's result as the integration gives it: within the answer of Lambda's Invoke API,
// of which it leaves the HTTP headers out.
func lambdaResult(payload []byte) (json.RawMessage, error) {
	if len(payload) == 0 {
		payload = []byte("null")
	}
	if len(payload) > asl.MaxDataSize {
		return payload, nil // the executor refuses it for its size
	}
	if !json.Valid(payload) {
		return nil, &asl.Error{Name: "Lambda.Unknown", Cause: "the function's result is not JSON"}
	}
	return json.Marshal(struct {
		ExecutedVersion string
		Payload         json.RawMessage
		StatusCode      int
	}{"$LATEST", payload, http.StatusOK})
}

package sfntest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Lambda answers a call of a function. What it returns is encoded as JSON. A [*FunctionError] is the function's own
// error; an [*asl.Error] one of Lambda itself, such as Lambda.TooManyRequestsException; any other error is the
// function's, named by its Go type.
type Lambda func(ctx context.Context, function string, payload []byte) (result any, err error)

// FunctionError is how a function fails: the errorType and the errorMessage.
type FunctionError struct{ Type, Message string }

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Invoke makes a Lambda the emulator's Invoker.
func (l Lambda) Invoke(ctx context.Context, function string, payload []byte) ([]byte, string, error) {
	result, err := l(ctx, function, payload)
	var own *FunctionError
	switch {
	case err == nil:
		text, err := json.Marshal(result)
		return text, "", err
	case isOfLambda(err) || ctx.Err() != nil:
		return nil, "", err
	case !errors.As(err, &own):
		kind := reflect.TypeOf(err)
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		own = &FunctionError{kind.Name(), err.Error()}
	}
	text, err := json.Marshal(map[string]string{"errorType": own.Type, "errorMessage": own.Message})
	return text, "Unhandled", err
}

// executionOf is the execution that a call is for: every state machine of the project says it.
func executionOf(payload []byte) (string, error) {
	var in struct{ Execution struct{ Name string } }
	if err := json.Unmarshal(payload, &in); err != nil || in.Execution.Name == "" {
		return "", fmt.Errorf("a function was called with a payload that names no execution: %w", err)
	}
	return in.Execution.Name, nil
}

package lambda

import (
	"encoding/json"
	"fmt"
	"time"
)

// Error is a refusal by the service itself: the function was not run.
type Error struct {
	// Code is the API's name for it, such as TooManyRequestsException.
	Code string
	// Message says what was wrong.
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// checkPayload refuses what AWS refuses. An empty payload is an empty object.
func checkPayload(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return []byte("{}"), nil
	}
	if len(payload) > MaxRequest {
		return nil, &Error{"RequestTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation (got %d)", MaxRequest, len(payload))}
	}
	var value json.RawMessage
	if err := json.Unmarshal(payload, &value); err != nil {
		return nil, &Error{"InvalidRequestContentException", "Could not parse request body into json: " + err.Error()}
	}
	return payload, nil
}

// answer is how an invocation ended for its caller.
type answer struct {
	body          []byte
	functionError string // empty for success
}

// unhandled is the header's value for every error of a function that the service did not itself refuse.
const unhandled = "Unhandled"

func failure(errorType, requestID, message string) answer {
	if requestID != "" {
		message = "RequestId: " + requestID + " Error: " + message
	}
	body, _ := json.Marshal(struct { // two strings cannot fail
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{errorType, message})
	return answer{body, unhandled}
}

func timedOut(inv *invocation, after time.Duration) answer {
	return failure("Sandbox.Timedout", inv.id, fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds()))
}

func responseTooLarge(size int64) answer {
	return failure("Function.ResponseSizeTooLarge", "",
		fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, MaxResponse))
}

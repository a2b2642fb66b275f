package executions

import (
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/scenario"
)

// withoutSignatures cuts off what signs the URLs in a text. An execution's cause may quote a state's whole input (Step
// Functions does, when a path is missing), and with it the signed URL of an archive.
func withoutSignatures(text string) string { return scenario.RedactURLs(text) }

// message is what a person should read of a failed task's cause: the message of a function's error, or all of it.
func message(cause string) string {
	var f struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(cause), &f) == nil && f.Message != "" {
		cause = f.Message
	}
	return withoutSignatures(cause)
}

package executions

import (
	"encoding/json"
	"regexp"
)

var urls = regexp.MustCompile(`(?i)(https?:(?:/|\\/){2}[^\s"'<>?#]+)[?#][^\s"'<>]*`)

// withoutSignatures cuts the query off every URL in a text. An execution's cause may quote a state's whole input (Step
// Functions does, when a path is missing), and with it the signed URL of an archive.
func withoutSignatures(text string) string { return urls.ReplaceAllString(text, "$1?…") }

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

package sfn

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
)

// maxNameLength is how long the name of an execution may be, in characters (API reference, StartExecution).
const maxNameLength = 80

// validName follows the API reference: no white space, brackets, wildcards, special or control characters.
func validName(s string) bool {
	if n := utf8.RuneCountInString(s); n < 1 || n > maxNameLength || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r) ||
			r == '\uFFFE' || r == '\uFFFF' || r == '\U0010FFFF'
	})
}

// The beginning of all ARNs, and the role of all executions.
const (
	arnPrefix = "arn:aws:states:" + emulator.Region + ":" + emulator.Account + ":"
	roleARN   = "arn:aws:iam::" + emulator.Account + ":role/local"
)

func executionARN(machine, name string) string {
	return arnPrefix + "execution:" + machine + ":" + name
}

// invalidARN is an error unless arn is of the given resource with the given number of names after it.
func invalidARN(arn, resource string, names int) error {
	parts := strings.Split(arn, ":")
	if len(parts) == 6+names && strings.HasPrefix(arn, "arn:aws:states:") && parts[5] == resource && !strings.Contains(arn, "::") {
		return nil
	}
	return &APIError{Code: "InvalidArn", Message: fmt.Sprintf("Invalid Arn: '%s'", arn)}
}

// APIError is an error of the Step Functions API.
type APIError struct {
	Code    string // ExecutionAlreadyExists, InvalidArn, …
	Message string
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

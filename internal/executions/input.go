package executions

import (
	"bytes"
	"encoding/json"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
)

// maxInput is the size of an execution's input in bytes. Step Functions takes 256 KiB of UTF-8 between states ("Service
// quotas", input or output size); the first state puts the input and the names of the execution into its payload.
const maxInput = 256<<10 - 4<<10

// Input is the execution's input for a request: the same text for every way to write the same request, because a start
// is only repeatable with the same input. Its error is archive.RequestInvalid.
func Input(r archive.Request) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // <assetId> stays readable in the console
	if err := e.Encode(r); err != nil {
		return "", archive.NewError(archive.RequestInvalid, err, "the request cannot be written as JSON: %v", err)
	}
	input := bytes.TrimSpace(b.Bytes())
	if len(input) > maxInput {
		return "", archive.NewError(archive.RequestInvalid, nil, "the request has %d bytes; Step Functions takes "+
			"%d as an execution's input: split the list", len(input), maxInput)
	}
	return string(input), nil
}

// sameInput reports whether two inputs are the same request. The stored one may be of an earlier release, or written by
// hand.
func sameInput(stored, input string) bool {
	if stored == input {
		return true
	}
	canonical := ""
	if r, err := archive.ParseRequest([]byte(stored)); err == nil {
		canonical, _ = Input(r)
	} else if in, err := batch.ParseInput([]byte(stored)); err == nil && in.List != nil {
		canonical, _ = in.Of(*in.List)
	}
	return canonical == input
}

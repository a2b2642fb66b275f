package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// sampleRequest is run when no request is given. Its assets exist at the stand-in.
//
//go:embed sample.json
var sampleRequest []byte

// maxRequest is the largest input of an execution, in bytes.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxRequest = 256 * 1024

// requestError says what is wrong with the request before anything has been started for it. Its name is the one that an
// execution would have ended with.
type requestError struct{ cause string }

func (e *requestError) Error() string { return "RequestInvalid: " + e.cause }

// readRequest reads the request from a file, from standard input for "-", or gives the sample for "".
func readRequest(path string, stdin io.Reader) ([]byte, error) {
	if path == "" {
		return sampleRequest, nil
	}
	name, file := path, stdin
	if path == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, &requestError{reason(name, err)}
		}
		defer f.Close()
		file = f
	}
	text, err := io.ReadAll(io.LimitReader(file, maxRequest+1)) // so that one that is too large is noticed
	if err != nil {
		return nil, &requestError{reason(name, err)}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors put a byte order mark there
	return text, checkRequest(name, text)
}

func reason(name string, err error) string {
	if errors.Is(err, os.ErrNotExist) {
		return name + " does not exist"
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Sprintf("%s cannot be read: %v", name, err)
}

// checkRequest finds what keeps it from being an execution's input at all. What it says is for the launch to judge.
func checkRequest(name string, text []byte) error {
	if len(text) > maxRequest {
		return &requestError{fmt.Sprintf("%s is larger than %d KiB, the most that an execution takes", name, maxRequest>>10)}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return &requestError{name + " is empty; want a JSON object with a \"query\""}
	}
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line, column := position(text, syntax.Offset)
		return &requestError{fmt.Sprintf("%s:%d:%d: not JSON: %v", name, line, column, syntax)}
	}
	return err
}

// position turns the offset of a JSON error, which counts the byte that it is about, into a line and a column of
// characters, both from 1.
func position(text []byte, offset int64) (line, column int) {
	before := text[:max(0, min(offset-1, int64(len(text))))]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[lineStart:]) + 1
}

// namesList says whether a request is one for the batch state machine: of a list in S3.
func namesList(request []byte) bool {
	var r struct {
		List json.RawMessage `json:"list"`
	}
	_ = json.Unmarshal(request, &r) // what is of another shape is for the launch to judge
	return r.List != nil
}

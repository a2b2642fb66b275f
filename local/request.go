package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// sampleRequest is run when no request is given. Its assets exist at the stand-in.
//
//go:embed sample.json
var sampleRequest []byte

// maxRequest is the largest input of an execution, in bytes.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxRequest = 256 * 1024

// readRequest reads the request from a file, from standard input for "-", or gives the sample for "". What is wrong with it
// is a RequestInvalid, as the execution would have ended with.
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
			return nil, unreadable(name, err)
		}
		defer f.Close()
		file = f
	}
	text, err := io.ReadAll(io.LimitReader(file, maxRequest+1)) // so that one that is too large is noticed
	if err != nil {
		return nil, unreadable(name, err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors put a byte order mark there
	return text, checkRequest(name, text)
}

func unreadable(name string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return invalid("%s does not exist", name)
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return invalid("%s cannot be read: %v", name, err)
}

func invalid(format string, args ...any) error {
	return archive.NewError(archive.RequestInvalid, nil, format, args...)
}

// checkRequest finds what keeps it from being an execution's input at all. What it says is for the launch to judge.
func checkRequest(name string, text []byte) error {
	if len(text) > maxRequest {
		return invalid("%s is larger than %d KiB, the most that an execution takes", name, maxRequest>>10)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return invalid("%s is empty; want a JSON object with a \"query\"", name)
	}
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line, column := position(text, syntax.Offset)
		return invalid("%s:%d:%d: not JSON: %v", name, line, column, syntax)
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

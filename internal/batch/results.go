package batch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/bucket"
)

// mapResults is the file in which Step Functions lists what it wrote (AWS: "ResultWriter").
type mapResults struct {
	ResultFiles struct {
		Succeeded []resultFile `json:"SUCCEEDED"`
		Failed    []resultFile `json:"FAILED"`
		Pending   []resultFile `json:"PENDING"`
	} `json:"ResultFiles"`
}

type resultFile struct{ Key string }

// child is a child workflow in those files.
type child struct {
	Status string `json:"Status"`
	Input  text   `json:"Input"`
	Output text   `json:"Output"`
	Error  string `json:"Error"`
	Cause  string `json:"Cause"`
}

// text is a JSON value that is written as a string: decoding gives what is in the string.
type text []byte

// UnmarshalJSON takes the value itself, too.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
		return nil
	}
	*t = text(bytes.Clone(raw))
	return nil
}

// number is which archive a child was for; 0 if its input does not say.
func (c child) number() int {
	var item PlannedArchive
	_ = json.Unmarshal(c.Input, &item)
	return item.Number
}

// output is what the archive's execution ended with; nil if the child has none.
func (c child) output() *archive.Output {
	var out struct {
		Output *archive.Output `json:"output"`
	}
	if c.Status != "" && c.Status != "SUCCEEDED" || json.Unmarshal(c.Output, &out) != nil {
		return nil
	}
	return out.Output
}

// failure is why the archive is missing. The archive's own error is in the description that the child's cause holds.
func (c child) failure() *failure {
	switch name, cause := ChildFailure(c.Error, c.Cause); {
	case name != "":
		return &failure{name, cause}
	case c.Status == "" || c.Status == "PENDING":
		return &failure{"NotStarted", "The batch stopped before this archive's turn came"}
	}
	return &failure{c.Status, "The batch stopped while this archive was being made"}
}

// ChildFailure is the error of an execution that was run by another one (startExecution.sync:2). There it comes as
// States.TaskFailed, and its cause is the description of the execution, which has its own name and cause. Of a function's
// error that was left uncaught, the cause is the function's message. Any other error is returned as it is.
func ChildFailure(name, cause string) (childName, childCause string) {
	if n, c, ok := describedFailure(cause); ok {
		name, cause = n, c
	}
	var function struct{ ErrorMessage string }
	if json.Unmarshal([]byte(cause), &function) == nil && function.ErrorMessage != "" {
		cause = function.ErrorMessage
	}
	return name, cause
}

// describedFailure reads the description of a failed execution. It may be cut off where an error's cause becomes too
// long (32,768 characters), for it repeats the execution's input: what comes before counts.
func describedFailure(description string) (name, cause string, ok bool) {
	d := json.NewDecoder(strings.NewReader(description))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", "", false
	}
	status := ""
	for d.More() {
		field, err := d.Token()
		if err != nil {
			break
		}
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			break
		}
		switch field {
		case "Error":
			_ = json.Unmarshal(raw, &name)
		case "Cause":
			_ = json.Unmarshal(raw, &cause)
		case "Status":
			_ = json.Unmarshal(raw, &status)
		}
	}
	if name == "" && status != "" && status != "FAILED" { // ABORTED and TIMED_OUT come without an error
		name, cause = status, "The archive's execution ended so"
	}
	return name, cause, name != ""
}

// results calls yield with every child in the map's results.
func (s Storage) results(ctx context.Context, prefix string, yield func(child)) error {
	for o, err := range s.List(ctx, prefix+"/", "") {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(o.Key, "/"+ManifestName) {
			continue
		}
		var m mapResults
		if err := s.readJSON(ctx, o.Key, &m); err != nil {
			return err
		}
		for _, f := range slices.Concat(m.ResultFiles.Pending, m.ResultFiles.Failed, m.ResultFiles.Succeeded) {
			if err := s.children(ctx, f.Key, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// children reads a file of results, an array of any length, one child after the other.
func (s Storage) children(ctx context.Context, key string, yield func(child)) error {
	b, err := s.Get(ctx, key, bucket.GetOptions{})
	if err != nil {
		return err
	}
	defer b.Close()
	d := json.NewDecoder(b)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return unreadable(key, cmp.Or(err, errors.New("no JSON array")))
	}
	for d.More() {
		var c child
		if err := d.Decode(&c); err != nil {
			return unreadable(key, err)
		}
		yield(c)
	}
	_, err = d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return unreadable(key, err)
}

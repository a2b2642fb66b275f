package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// element is the ID in a JSON string, or in the object's field that is surest to hold it.
func element(raw []byte) (string, error) {
	var id string
	if json.Unmarshal(raw, &id) == nil && raw[0] == '"' {
		return id, nil
	}
	fields := json.NewDecoder(bytes.NewReader(raw))
	if t, err := fields.Token(); err != nil || t != json.Delim('{') || !json.Valid(raw) {
		return "", errors.New("it is neither a JSON string nor an object")
	}
	best, value := 0, json.RawMessage(nil)
	for fields.More() {
		name, err := fields.Token()
		if err != nil {
			return "", err
		}
		var v json.RawMessage
		if err := fields.Decode(&v); err != nil {
			return "", err
		}
		switch r := rank(name.(string)); {
		case r > 0 && r == best:
			return "", fmt.Errorf("the object has two fields for the ID, the second is %q", archive.Abbreviate(name.(string)))
		case r > best:
			best, value = r, v
		}
	}
	if best == 0 || json.Unmarshal(value, &id) != nil || value[0] != '"' {
		return "", errors.New(`the object has no string "assetId"`)
	}
	return id, nil
}

var errTooLong = errors.New("a value is too long")

// jsonList reads a list that is one JSON value.
type jsonList struct {
	*Reader
	in     Limit
	decode *json.Decoder
}

func (l *Reader) readJSON(r io.Reader, yield func(id string) bool) error {
	j := jsonList{Reader: l, in: Limit{R: r, Full: errTooLong}}
	j.decode = json.NewDecoder(&j.in)
	t, err := j.token()
	nested := t == json.Delim('{') // the array is in an object
	if err == nil && nested {
		t, err = j.findArray()
	}
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return invalid("the list is neither a JSON array nor an object with an array \"assetIds\"")
	}
	for j.more() {
		raw, err := j.value()
		if err != nil {
			return err
		}
		l.line++
		id, err := element(raw)
		if err != nil {
			return invalid("element %d of the list: %v", l.line, err)
		}
		if !archive.ValidID(id) {
			return invalid("element %d of the list is %q, which is no asset ID", l.line, archive.Abbreviate(id))
		}
		if !yield(id) {
			return nil
		}
	}
	return j.end(nested)
}

func (l *jsonList) more() bool {
	l.in.Left = maxRecord
	return l.decode.More()
}

func (l *jsonList) token() (json.Token, error) {
	l.in.Left = maxRecord
	t, err := l.decode.Token()
	return t, l.named(err)
}

// named says what is wrong with the list. A failure to read it stays as it is.
func (l *jsonList) named(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case l.in.err != nil && l.in.err != errTooLong:
		return l.in.err
	case errors.Is(err, errTooLong):
		return invalid("after element %d of the list comes a value longer than %d bytes", l.line, maxRecord)
	case errors.As(err, &syntax):
		return invalid("the list is not JSON after element %d (byte %d): %v", l.line, syntax.Offset, syntax)
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return invalid("the list is not whole JSON: it ends after element %d", l.line)
	}
	return err
}

// findArray goes to the field that holds the list.
func (l *jsonList) findArray() (json.Token, error) {
	for {
		name, err := l.token()
		if err != nil {
			return nil, err
		}
		if text, _ := name.(string); rank(text) == 3 {
			return l.token()
		}
		if name == json.Delim('}') {
			return name, nil
		}
		if _, err := l.value(); err != nil {
			return nil, err
		}
	}
}

func (l *jsonList) value() (raw json.RawMessage, err error) {
	l.in.Left = maxRecord
	return raw, l.named(l.decode.Decode(&raw))
}

// end makes sure that the list ends as it should: one that was cut short must not pass for a shorter one.
func (l *jsonList) end(nested bool) error {
	if _, err := l.token(); err != nil { // the array's end
		return err
	}
	for nested { // whatever else the object holds
		t, err := l.token()
		if err != nil {
			return err
		}
		if t == json.Delim('}') {
			break
		}
		if name, _ := t.(string); rank(name) == 3 {
			return invalid("the list is given twice, the second time as %q; give it once", archive.Abbreviate(name))
		}
		if _, err := l.value(); err != nil {
			return err
		}
	}
	l.in.Left = maxRecord
	if _, err := l.decode.Token(); err != io.EOF {
		return invalid("the list is followed by more text")
	}
	return nil
}

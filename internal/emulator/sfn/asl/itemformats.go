package asl

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of an ItemReader's lists (AWS, "ItemReader" and "Step Functions service quotas").
const (
	maxListedItems  = 100_000_000
	maxLine         = 8 << 20  // of JSON Lines, in bytes
	maxHeadersBytes = 10 << 10 // of all of a CSV file's headers
)

// items reads a list of any length as a stream: one item at a time is in memory.
func (r *itemReader) items(body io.Reader) (items, error) {
	buffered := bufio.NewReaderSize(body, 64<<10)
	skipMark(buffered)
	switch r.inputType {
	case "JSON":
		return newJSONItems(buffered)
	case "CSV":
		return newCSVItems(buffered, r.csv)
	default:
		s := bufio.NewScanner(buffered)
		s.Buffer(nil, maxLine)
		return &lineItems{s: s}, nil
	}
}

// skipMark drops the byte order mark that some editors put at the start.
func skipMark(r *bufio.Reader) {
	mark := []byte("\ufeff")
	if start, _ := r.Peek(len(mark)); bytes.Equal(start, mark) {
		_, _ = r.Discard(len(mark))
	}
}

// jsonItems are the elements of an array.
type jsonItems struct{ d *json.Decoder }

func newJSONItems(r io.Reader) (items, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	t, err := d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("it is empty")
	case err != nil:
		return nil, err
	case t != json.Delim('['):
		return nil, errors.New("it must be an array")
	}
	return &jsonItems{d}, nil
}

func (j *jsonItems) next() (any, error) {
	if j.d.More() {
		return decodeValue(j.d, 1)
	}
	if _, err := j.d.Token(); err != nil {
		return nil, fmt.Errorf("the array does not end: %w", asUnexpected(err))
	}
	if _, err := j.d.Token(); err != io.EOF {
		return nil, errors.New("something follows the array")
	}
	return nil, io.EOF
}

// asUnexpected keeps the end of a torn list from being taken for the end of the list.
func asUnexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lineItems are the JSON values of lines; blank lines are skipped.
type lineItems struct {
	s    *bufio.Scanner
	line int
}

func (l *lineItems) next() (any, error) {
	for l.s.Scan() {
		l.line++
		text := bytes.TrimSpace(l.s.Bytes())
		if len(text) == 0 {
			continue
		}
		v, err := decodeJSON(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", l.line, err)
		}
		return v, nil
	}
	if err := l.s.Err(); err != nil {
		return nil, fmt.Errorf("after line %d: %w", l.line, err)
	}
	return nil, io.EOF
}

// csvItems are the rows of a CSV file as objects of strings (AWS, "ItemReader": a row with fewer fields than headers
// gets empty strings, fields beyond the headers are left out).
type csvItems struct {
	r       *csv.Reader
	headers []string
}

func newCSVItems(r io.Reader, format csvFormat) (items, error) {
	c := &csvItems{csv.NewReader(r), format.headers}
	c.r.Comma, c.r.FieldsPerRecord, c.r.ReuseRecord = format.delimiter, -1, true
	if c.headers != nil {
		return c, nil
	}
	first, err := c.r.Read()
	if err == io.EOF {
		return nil, errors.New("there is no row of headers")
	}
	if err != nil {
		return nil, err
	}
	c.headers = append([]string(nil), first...)
	return c, checkHeaders(c.headers)
}

func checkHeaders(headers []string) error {
	seen := map[string]bool{}
	size := 0
	for _, name := range headers {
		if seen[name] {
			return fmt.Errorf("the header %q is there twice", clip(name, 64))
		}
		seen[name] = true
		size += len(name)
	}
	if size > maxHeadersBytes {
		return fmt.Errorf("the headers have more than %d bytes", maxHeadersBytes)
	}
	return nil
}

func (c *csvItems) next() (any, error) {
	row, err := c.r.Read()
	if err != nil {
		return nil, err
	}
	o := newObject(len(c.headers))
	for i, name := range c.headers {
		value := ""
		if i < len(row) {
			value = row[i]
		}
		o.set(name, value)
	}
	return o, nil
}

// listItems are items that are in memory already.
type listItems struct{ left []any }

func (l *listItems) next() (any, error) {
	if len(l.left) == 0 {
		return nil, io.EOF
	}
	v := l.left[0]
	l.left = l.left[1:]
	return v, nil
}

package batch

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// assetPrefix begins the IDs that Scenario gives to assets.
const assetPrefix = "asset_"

// csvList reads a list in CSV (RFC 4180; with ';' or tabs too, as spreadsheets write where the comma is a decimal
// point).
type csvList struct {
	*Reader
	in      Limit
	records *csv.Reader
	column  int  // of the IDs, from 0
	columns int  // of the first record
	header  bool // the first record is one
}

func (l *Reader) readCSV(lines io.Reader, yield func(id string) bool) error {
	text := bufio.NewReaderSize(lines, 64<<10)
	separator, err := separatorOf(text)
	if err != nil {
		return err
	}
	c := csvList{Reader: l, in: Limit{R: text, Full: errTooLong}}
	c.records = csv.NewReader(&c.in)
	c.records.Comma, c.records.FieldsPerRecord, c.records.ReuseRecord = separator, -1, true
	c.records.TrimLeadingSpace = separator != '\t' // which is space itself: empty fields would be trimmed away
	fields, err := c.next()
	if err == nil {
		err = c.begin(fields)
	}
	if err == nil && c.header {
		fields, err = c.next()
	}
	for ; err == nil; fields, err = c.next() {
		if id, err := c.id(fields); err != nil || !yield(id) {
			return err
		}
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// begin looks at the first record, which may be a header.
func (c *csvList) begin(fields []string) error {
	best := 0
	for i, name := range fields {
		r := rank(name)
		if r == best && r > 0 {
			return invalid("the list's header has two columns for the IDs, %q and %q; name only one of them so",
				archive.Abbreviate(fields[c.column]), archive.Abbreviate(name))
		}
		if r > best {
			best, c.column = r, i
		}
	}
	c.columns, c.header = len(fields), best > 0
	if id := strings.TrimSpace(fields[0]); !c.header && !archive.ValidID(id) {
		return invalid("line %d of the list begins with %q, which is neither an asset ID nor a header; name the IDs' "+
			"column assetId", c.line, archive.Abbreviate(id))
	}
	return nil
}

// id takes the ID out of a record, and makes sure that the record has no other.
func (c *csvList) id(fields []string) (string, error) {
	if c.column >= len(fields) {
		return "", invalid("line %d of the list has %d columns; its ID should be in column %d", c.line, len(fields), c.column+1)
	}
	for i, field := range fields {
		if i >= c.columns && strings.TrimSpace(field) != "" {
			return "", invalid("line %d of the list has %d columns, and the first line has %d; write a field that holds a "+
				"separator in quotation marks", c.line, len(fields), c.columns)
		}
		if i != c.column && !c.header && strings.HasPrefix(strings.TrimSpace(field), assetPrefix) {
			return "", invalid("line %d of the list has an asset ID in column %d, too; put one ID on each line, or name the "+
				"IDs' column assetId in a first line", c.line, i+1)
		}
	}
	id := strings.Clone(strings.TrimSpace(fields[c.column])) // the record may hold far more than the ID
	return id, c.check(id)
}

// next is the next record that holds anything: a row of separators alone is a spreadsheet's blank line.
func (c *csvList) next() ([]string, error) {
	for {
		c.in.Left = maxRecord
		fields, err := c.records.Read()
		if err != nil {
			return nil, c.failed(err)
		}
		c.line, _ = c.records.FieldPos(len(fields) - 1)
		if strings.TrimSpace(strings.Join(fields, "")) != "" {
			return fields, nil
		}
	}
}

// failed says what is wrong with the list. A failure to read it stays as it is.
func (c *csvList) failed(err error) error {
	var wrong *csv.ParseError
	switch {
	case c.in.err == errTooLong:
		return invalid("a record after line %d of the list is longer than %d bytes", c.line, maxRecord)
	case c.in.err != nil:
		return c.in.err
	case errors.As(err, &wrong) && wrong.Err == csv.ErrQuote && wrong.Line > wrong.StartLine:
		return invalid("a quotation mark in the CSV record that begins at line %d of the list is not closed as it should "+
			"be: %v at line %d", wrong.StartLine, wrong.Err, wrong.Line)
	case errors.As(err, &wrong):
		return invalid("line %d of the list, column %d: %v; write a field that holds a quotation mark in quotation marks, "+
			"and its own ones twice", wrong.Line, wrong.Column, wrong.Err)
	}
	return err
}

// separatorOf is the separator that comes first in a text, outside quotation marks; a comma where the first line has
// none. It reads nothing.
func separatorOf(text *bufio.Reader) (rune, error) {
	head, err := text.Peek(text.Size())
	if err != nil && err != io.EOF && len(head) == 0 {
		return 0, err
	}
	quoted := false
	for i, b := range head {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == ',' || b == ';' || b == '\t':
			return rune(b), nil
		case b == '\n' && strings.TrimSpace(string(head[:i])) != "":
			return ',', nil
		}
	}
	return ',', nil
}

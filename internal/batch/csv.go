package batch

import (
	"bytes"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// csvList reads a list in CSV (RFC 4180; with ';' or tabs too, as spreadsheets write where the comma is a decimal
// point). Not with encoding/csv, which sets no bound to a record.
type csvList struct {
	*Reader
	separator byte
	column    int // of the IDs, from 0
}

func (c *csvList) first() (string, error) {
	record, err := c.readRecord()
	if err != nil {
		return "", err
	}
	c.separator = separatorOf(record)
	fields := c.fields(record)
	best := 0
	for i, name := range fields {
		if r := rank(name); r > best {
			best, c.column = r, i
		}
	}
	c.Reader.next = c.next
	if best > 0 {
		return c.next()
	}
	if first := strings.TrimSpace(fields[0]); !archive.ValidID(first) {
		return "", invalid("line %d of the list begins with %q, which is neither an asset ID nor a header; name the IDs' "+
			"column assetId", c.line, abbreviate(first))
	}
	return c.field(fields)
}

func (c *csvList) next() (string, error) {
	for {
		record, err := c.readRecord()
		if err != nil {
			return "", err
		}
		if fields := c.fields(record); strings.TrimSpace(strings.Join(fields, "")) != "" {
			return c.field(fields)
		} // a row of separators alone is a spreadsheet's blank line
	}
}

func (c *csvList) field(fields []string) (string, error) {
	if c.column >= len(fields) {
		return "", invalid("line %d of the list has %d columns; its ID should be in column %d", c.line, len(fields), c.column+1)
	}
	return c.id(strings.TrimSpace(fields[c.column]))
}

// readRecord is a line, and those after it that its quotation marks reach over.
func (c *csvList) readRecord() (string, error) {
	line, err := c.readLine()
	if err != nil {
		return "", err
	}
	quotes := bytes.Count(line, []byte{'"'})
	for quotes%2 == 1 {
		before := len(c.record)
		if err := c.appendLine(); err == io.EOF {
			return "", invalid("a quotation mark near line %d of the list is not closed", c.line)
		} else if err != nil {
			return "", err
		}
		quotes += bytes.Count(c.record[before:], []byte{'"'})
	}
	return string(bytes.TrimSpace(c.record)), nil
}

// separatorOf is the separator that comes first outside quotation marks.
func separatorOf(record string) byte {
	quoted := false
	for i := range len(record) {
		switch b := record[i]; {
		case b == '"':
			quoted = !quoted
		case !quoted && (b == ',' || b == ';' || b == '\t'):
			return b
		}
	}
	return ','
}

// fields divides a record, at least into one.
func (c *csvList) fields(record string) []string {
	if !strings.Contains(record, `"`) {
		return strings.Split(record, string(c.separator))
	}
	var fields []string
	var field strings.Builder
	quoted := false
	for i := 0; i < len(record); i++ {
		switch b := record[i]; {
		case b == '"' && quoted && i+1 < len(record) && record[i+1] == '"': // "" in quotation marks is one of them
			field.WriteByte(b)
			i++
		case b == '"':
			quoted = !quoted
		case b == c.separator && !quoted:
			fields = append(fields, field.String())
			field.Reset()
		default:
			field.WriteByte(b)
		}
	}
	return append(fields, field.String())
}

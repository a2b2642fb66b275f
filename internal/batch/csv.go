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
	fields, err := c.fields(record)
	if err != nil {
		return "", err
	}
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
		fields, err := c.fields(record)
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(strings.Join(fields, "")) != "" {
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

// fields divides a record, at least into one. Quotation marks are taken strictly: a stray one, an inch sign say, could
// swallow the lines up to the next, and IDs with them, without anybody noticing.
func (c *csvList) fields(record string) ([]string, error) {
	if !strings.Contains(record, `"`) {
		return strings.Split(record, string(c.separator)), nil
	}
	var fields []string
	for {
		field, rest, ok := cutField(record, c.separator)
		if !ok {
			return nil, invalid("a quotation mark in the CSV record that ends at line %d of the list stands neither at a "+
				"field's start nor at its end; write such a field in quotation marks, and its own ones twice", c.line)
		}
		fields = append(fields, field)
		if rest == "" {
			return fields, nil
		}
		record = rest[1:]
	}
}

// cutField takes the first field off a record. rest begins with the separator, or is empty.
func cutField(record string, separator byte) (field, rest string, ok bool) {
	inner, quoted := strings.CutPrefix(strings.TrimLeft(record, " "), `"`)
	if !quoted {
		end := strings.IndexByte(record, separator)
		if end < 0 {
			end = len(record)
		}
		return record[:end], record[end:], !strings.Contains(record[:end], `"`)
	}
	var b strings.Builder
	for {
		text, after, closed := strings.Cut(inner, `"`)
		b.WriteString(text)
		if !closed {
			return "", "", false
		}
		if inner, quoted = strings.CutPrefix(after, `"`); !quoted { // "" in quotation marks is one of them
			rest = strings.TrimLeft(after, " ")
			return b.String(), rest, rest == "" || rest[0] == separator
		}
		b.WriteByte('"')
	}
}

package batch

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// Format is how a list is written. In each, blank lines, a UTF-8 byte order mark and CRLF are tolerated.
type Format string

const (
	// FormatText has one ID a line. The first may be a header.
	FormatText Format = "txt"
	// FormatCSV has a record a line: with a header, the IDs are in its column assetId (or asset_id, asset, id);
	// without one, in the first column.
	FormatCSV Format = "csv"
	// FormatJSONL has a JSON string a line, or an object with one of the names that a CSV column may have.
	FormatJSONL Format = "jsonl"
	// FormatJSON is an array of such strings or objects, alone or as "assetIds" in an object.
	FormatJSON Format = "json"
)

// FormatOf is the format that a key's extension stands for; false if it stands for none.
func FormatOf(key string) (Format, bool) {
	switch strings.ToLower(path.Ext(key)) {
	case ".txt":
		return FormatText, true
	case ".csv":
		return FormatCSV, true
	case ".jsonl", ".ndjson":
		return FormatJSONL, true
	case ".json":
		return FormatJSON, true
	}
	return "", false
}

func (l List) format() (Format, error) {
	switch l.Format {
	case FormatText, FormatCSV, FormatJSONL, FormatJSON:
		return l.Format, nil
	case "":
		if f, ok := FormatOf(l.Key); ok {
			return f, nil
		}
		return "", invalid("the format of the list %q cannot be read from its name; give list.format: csv, jsonl, json or txt",
			archive.Abbreviate(l.Key))
	}
	return "", invalid("list.format is %q; it must be csv, jsonl, json or txt", archive.Abbreviate(string(l.Format)))
}

// maxRecord is the longest line, record or JSON value of a list, in bytes: a CSV export may have a prompt beside each
// ID, and a list must not make memory grow.
const maxRecord = 1 << 20

// Reader reads a list's IDs one after the other, in memory that does not depend on the list's length. What it does not
// understand it refuses, with the number of the line or element: no line is ever skipped but a blank one and a header.
type Reader struct {
	source io.Reader
	format Format
	line   int // that was read last, or the element of a JSON array
}

// NewReader reads a list in a format.
func NewReader(r io.Reader, f Format) *Reader { return &Reader{source: r, format: f} }

// Lines is how many lines were read so far, the header and blank ones counted; in JSON, how many elements.
func (l *Reader) Lines() int { return l.line }

// IDs gives the list's IDs once, each valid but perhaps a duplicate. An error is the last that it gives:
// archive.RequestInvalid, or the source's own.
func (l *Reader) IDs() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := l.read(func(id string) bool { return yield(id, nil) }); err != nil {
			yield("", err)
		}
	}
}

// read looks at what the list begins with: a file that is no list is named as what it is, not by its first strange line.
// It returns nil at the list's end, and when yield is false.
func (l *Reader) read(yield func(id string) bool) error {
	text, err := Text(l.source)
	if err != nil {
		return err
	}
	lines := &lineEnds{in: text, csv: l.format == FormatCSV, line: 1}
	switch l.format {
	case FormatCSV:
		return l.readCSV(lines, yield)
	case FormatJSON:
		return l.readJSON(text, yield)
	}
	return l.readLines(lines, yield)
}

// readLines reads a list in text or in JSONL.
func (l *Reader) readLines(lines io.Reader, yield func(id string) bool) error {
	in := bufio.NewReaderSize(lines, maxRecord)
	for first := true; ; {
		line, err := in.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull:
			return invalid("line %d of the list is longer than %d bytes", l.line+1, maxRecord)
		case err == io.EOF && len(line) == 0:
			return nil
		case err != nil && err != io.EOF:
			return err
		}
		l.line++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		id := string(line)
		if l.format == FormatJSONL {
			if id, err = element(line); err != nil {
				return invalid("line %d of the list: %v", l.line, err)
			}
		} else if first && rank(id) > 0 {
			first = false
			continue
		}
		first = false
		if err := l.check(id); err != nil || !yield(id) {
			return err
		}
	}
}

// check looks at what stands where an ID should be.
func (l *Reader) check(id string) error {
	if !archive.ValidID(id) {
		return invalid("line %d of the list has %q, which is no asset ID (1 to 256 letters, digits, '_', '-', '.' or ':')",
			l.line, archive.Abbreviate(id))
	}
	return nil
}

var withoutMarks = strings.NewReplacer(" ", "", "_", "", "-", "")

// rank says how surely a name is that of a list's IDs, 0 for not at all: a table may have a column "id" besides.
func rank(name string) int {
	switch withoutMarks.Replace(strings.ToLower(strings.TrimSpace(name))) {
	case "assetid", "assetids":
		return 3
	case "asset", "assets":
		return 2
	case "id", "ids":
		return 1
	}
	return 0
}

// Limit reads from R, and fails with Full rather than read more than Left bytes.
type Limit struct {
	R    io.Reader
	Left int64
	Full error
	err  error // why reading ended, io.EOF excepted
}

// Read reads on.
func (l *Limit) Read(p []byte) (n int, err error) {
	if l.Left <= 0 {
		l.err = l.Full
		return 0, l.err
	}
	n, err = l.R.Read(p[:min(int64(len(p)), l.Left)])
	l.Left -= int64(n)
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}

package batch

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// maxRecord is the longest line, record or JSON value of a list, in bytes: a CSV export may have a prompt beside each
// ID, and a list must not make memory grow.
const maxRecord = 1 << 20

// Reader reads a list's IDs one after the other, in memory that does not depend on the list's length.
type Reader struct {
	in     *bufio.Reader
	format Format
	next   func() (string, error)
	line   int    // of the last record's end
	record []byte // the last one
}

// NewReader reads a list in a format. Whatever it reports is archive.RequestInvalid, or the error of r itself.
func NewReader(r io.Reader, f Format) *Reader {
	l := &Reader{in: bufio.NewReaderSize(r, 64<<10), format: f}
	l.next = l.start
	return l
}

// Next is the list's next ID, valid but perhaps a duplicate. Its error is io.EOF at the list's end.
func (l *Reader) Next() (string, error) { return l.next() }

// start looks at what the list begins with: what a list cannot be is told by its name, not by the first strange line.
func (l *Reader) start() (string, error) {
	head, err := l.in.Peek(4)
	if err != nil && err != io.EOF {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = l.in.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "", invalid("the list is in UTF-16; save it as UTF-8")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "", invalid("the list is compressed with gzip; put it there uncompressed")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "", invalid("the list is a ZIP or an Excel file; save it as CSV or as text")
	}
	switch l.format {
	case FormatCSV:
		l.next = (&csvList{Reader: l}).first
	case FormatJSONL:
		l.next = l.nextJSONLine
	case FormatJSON:
		l.next = newJSONList(l.in).next
	default:
		l.next = l.firstText
	}
	return l.next()
}

// readLine is the next line that is not blank, without its end and the space around it. It is valid until the next
// call.
func (l *Reader) readLine() ([]byte, error) {
	l.record = l.record[:0]
	for {
		if err := l.appendLine(); err != nil {
			return nil, err
		}
		if line := bytes.TrimSpace(l.record); len(line) > 0 {
			return line, nil
		}
		l.record = l.record[:0]
	}
}

// appendLine adds the next line to the record. io.EOF means that there was none.
func (l *Reader) appendLine() error {
	before := len(l.record)
	for {
		piece, err := l.in.ReadSlice('\n')
		if len(l.record)+len(piece) > maxRecord {
			return invalid("line %d of the list is longer than %d bytes", l.line+1, maxRecord)
		}
		l.record = append(l.record, piece...)
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(l.record) > before, err == nil:
			l.line++
			return nil
		default:
			return err
		}
	}
}

func (l *Reader) firstText() (string, error) {
	l.next = l.nextText
	line, err := l.readLine()
	if err != nil {
		return "", err
	}
	if rank(string(line)) > 0 {
		return l.nextText()
	}
	return l.id(string(line))
}

func (l *Reader) nextText() (string, error) {
	line, err := l.readLine()
	if err != nil {
		return "", err
	}
	return l.id(string(line))
}

// id checks what stands where an ID should be.
func (l *Reader) id(s string) (string, error) {
	if !archive.ValidID(s) {
		return "", invalid("line %d of the list has %q, which is no asset ID (1 to 256 letters, digits, '_', '-', '.' or ':')",
			l.line, abbreviate(s))
	}
	return s, nil
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

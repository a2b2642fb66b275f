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

// Reader reads a list's IDs one after the other, in memory that does not depend on the list's length. What it does not
// understand it refuses, with the number of the line or element: no line is ever skipped but a blank one and a header.
type Reader struct {
	source io.Reader
	format Format
	next   func() (string, error)
	in     *bufio.Reader // the lines
	line   int           // that was read last, or the element of a JSON array
	record []byte        // the last line
}

// NewReader reads a list in a format. Whatever it reports is archive.RequestInvalid, or the error of r itself.
func NewReader(r io.Reader, f Format) *Reader {
	l := &Reader{source: r, format: f}
	l.next = l.start
	return l
}

// newLineReader reads a list that this package wrote: an ID a line, without a header.
func newLineReader(r io.Reader) *Reader {
	l := &Reader{in: bufio.NewReaderSize(r, 64<<10)}
	l.next = l.nextText
	return l
}

// Next is the list's next ID, valid but perhaps a duplicate. Its error is io.EOF at the list's end.
func (l *Reader) Next() (string, error) { return l.next() }

// Lines is how many lines were read so far, the header and blank ones counted; in JSON, how many elements.
func (l *Reader) Lines() int { return l.line }

// start looks at what the list begins with: a file that is no list is named as what it is, not by its first strange line.
func (l *Reader) start() (string, error) {
	text, err := Text(l.source)
	if err != nil {
		return "", err
	}
	lines := &lineEnds{in: text, csv: l.format == FormatCSV, line: 1}
	switch l.format {
	case FormatCSV:
		l.next = newCSVList(l, lines).first
	case FormatJSONL:
		l.in, l.next = bufio.NewReaderSize(lines, 64<<10), l.nextJSONLine
	case FormatJSON:
		l.next = newJSONList(l, text).next
	default:
		l.in, l.next = bufio.NewReaderSize(lines, 64<<10), l.firstText
	}
	return l.next()
}

// readLine is the next line that is not blank, without its end and the space around it. It is valid until the next
// call.
func (l *Reader) readLine() ([]byte, error) {
	for {
		l.record = l.record[:0]
		if err := l.appendLine(); err != nil {
			return nil, err
		}
		if line := bytes.TrimSpace(l.record); len(line) > 0 {
			return line, nil
		}
	}
}

// appendLine adds the next line to the record. io.EOF means that there was none.
func (l *Reader) appendLine() error {
	for {
		piece, err := l.in.ReadSlice('\n')
		if len(l.record)+len(piece) > maxRecord {
			return invalid("line %d of the list is longer than %d bytes", l.line+1, maxRecord)
		}
		l.record = append(l.record, piece...)
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(l.record) > 0, err == nil:
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
			l.line, archive.Abbreviate(s))
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

// bounded ends with errTooLong when more is read than left says: what reads from it would hold a value of any length.
type bounded struct {
	r    io.Reader
	left int   // bytes
	err  error // why reading ended, io.EOF excepted
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.err = errTooLong
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

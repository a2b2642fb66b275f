package batch

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// foreign are the first bytes of what people send instead of text.
var foreign = []struct{ bytes, name, advice string }{
	{"\x1f\x8b", "compressed (gzip)", "uncompress it"},
	{"\x28\xb5\x2f\xfd", "compressed (zstd)", "uncompress it"},
	{"BZh", "compressed (bzip2)", "uncompress it"},
	{"\xfd7zXZ", "compressed (xz)", "uncompress it"},
	{"PK\x03\x04", "a ZIP or an Excel file", "save it as CSV or as text"},
	{"\xff\xfe", "text in UTF-16", "save it as UTF-8"},
	{"\xfe\xff", "text in UTF-16", "save it as UTF-8"},
}

// Text reads UTF-8 text, without its byte order mark. What is compressed, a workbook or in UTF-16 is refused with
// archive.RequestInvalid; a failure of r is returned as it is.
func Text(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(8)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for _, f := range foreign {
		if strings.HasPrefix(string(head), f.bytes) {
			return nil, invalid("the file is %s; %s", f.name, f.advice)
		}
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	return in, nil
}

// lineEnds gives every line of a text the end "\n": lines may end with LF, with CRLF, or, as "CSV (Macintosh)" writes
// them, with CR. A text that mixes CR with the others is refused: whether its CR ends a line cannot be known, and a
// wrong guess loses IDs.
type lineEnds struct {
	in     *bufio.Reader
	csv    bool // line ends in quotation marks belong to the text
	quoted bool
	style  byte // '\r' or '\n' once a line ended
	line   int  // that is being read, from 1
	err    error
}

// Read keeps its error: a reader that only looks ahead must not make the next one read on behind it.
func (l *lineEnds) Read(p []byte) (n int, err error) {
	for l.err == nil && n < len(p) && (n == 0 || l.in.Buffered() > 0) {
		var b byte
		if b, l.err = l.in.ReadByte(); l.err != nil {
			break
		}
		switch {
		case b == '"' && l.csv:
			l.quoted = !l.quoted
		case b == '\n' && l.quoted:
			l.line++
		case b == '\n':
			l.err = l.end('\n')
		case b == '\r' && !l.quoted:
			if l.beforeLF() {
				continue
			}
			b, l.err = '\n', l.end('\r')
		}
		if l.err == nil {
			p[n] = b
			n++
		}
	}
	return n, l.err
}

// beforeLF says whether the CR that was read is part of a line end: of CRLF, of CRCRLF, which Windows makes of CRLF
// when it is written as text once more, or of the text's.
func (l *lineEnds) beforeLF() bool {
	next, err := l.in.Peek(2)
	return len(next) > 0 && next[0] == '\n' || string(next) == "\r\n" || len(next) == 0 && err == io.EOF
}

func (l *lineEnds) end(style byte) error {
	if l.style != 0 && l.style != style {
		return invalid("line %d of the list ends with a carriage return alone where other lines end with a line feed, or "+
			"the other way round; save the list with one kind of line end", l.line)
	}
	l.style = style
	l.line++
	return nil
}

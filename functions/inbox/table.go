package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// table reads the column of IDs of a CSV file. Quotes are taken strictly: a stray one could swallow lines, and with
// them IDs, without anybody noticing.
type table struct {
	limit  *recordLimit
	csv    *csv.Reader
	column int
	begun  bool
}

func newTable(r *bufio.Reader) *table {
	limit := &recordLimit{r: r}
	c := csv.NewReader(limit)
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = delimiter(r), -1, true
	return &table{limit: limit, csv: c}
}

// delimiter looks at the first line: spreadsheets write semicolons where the comma is in numbers, or tabs.
func delimiter(r *bufio.Reader) rune {
	start, _ := r.Peek(4 << 10)
	line, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, d := range ";\t" {
		if n := bytes.Count(line, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

func (t *table) next() (string, int, error) {
	for {
		record, err := t.csv.Read()
		if err != nil {
			return "", 0, t.failure(err)
		}
		t.limit.read = 0
		if !t.begun {
			t.begun = true
			if t.header(record) {
				continue
			}
		}
		if strings.TrimSpace(strings.Join(record, "")) == "" { // a row that a spreadsheet left empty
			continue
		}
		line, _ := t.csv.FieldPos(0)
		if t.column >= len(record) || strings.TrimSpace(record[t.column]) == "" {
			return "", 0, invalid("line %d has no asset ID in column %d", line, t.column+1)
		}
		return strings.TrimSpace(record[t.column]), line, nil
	}
}

// header finds the column of IDs in a header row. Without one it is the first column.
func (t *table) header(record []string) bool {
	best := len(headers)
	for i, name := range record {
		if rank := headerRank(strings.TrimSpace(name)); rank >= 0 && rank < best {
			best, t.column = rank, i
		}
	}
	return best < len(headers)
}

func (t *table) failure(err error) error {
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF), archive.IsNamed(err):
		return err
	case errors.As(err, &syntax):
		return invalid("line %d, column %d: %v; correct the quotes of this CSV record", syntax.Line, syntax.Column, syntax.Err)
	}
	return readError(err)
}

// recordLimit bounds a record: one quote that is never closed would take the rest of the file into memory.
type recordLimit struct {
	r    io.Reader
	read int // since the last whole record, and what was read ahead with it
}

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.read > maxLine {
		return 0, invalid("a CSV record is longer than %d bytes; is a quote not closed?", maxLine)
	}
	n, err := l.r.Read(p)
	l.read += n
	return n, err
}

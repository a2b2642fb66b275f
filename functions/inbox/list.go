package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// source gives the IDs of a list one by one, each with the line it stands on, and io.EOF at the end.
type source interface {
	next() (id string, line int, err error)
}

// readList reads the IDs of a list, without repeats and in their order, until it has those of one archive. more says
// that there are others. Memory is that of one archive's IDs, whatever the list's size.
func readList(r *bufio.Reader, f form) (ids []string, more bool, err error) {
	from := newSource(bufio.NewReaderSize(&scanLimit{r: r}, maxLine), f)
	seen := map[string]bool{}
	for {
		id, line, err := from.next()
		switch {
		case errors.Is(err, io.EOF) && len(ids) == 0:
			return nil, false, invalid("the list has no asset IDs; put one on each line")
		case errors.Is(err, io.EOF):
			return ids, false, nil
		case err != nil:
			return nil, false, err
		case seen[id]:
			continue
		}
		if err := checkID(id, line); err != nil {
			return nil, false, err
		}
		if len(ids) == scenario.MaxAssets {
			return ids, true, nil
		}
		seen[id] = true
		ids = append(ids, id)
	}
}

func newSource(r *bufio.Reader, f form) source {
	switch f {
	case formCSV:
		return newTable(r)
	case formJSONL:
		return &lines{r: r, decode: fromJSON}
	default:
		return &lines{r: r, decode: fromText}
	}
}

// checkID asks the request's own rules, so that a list is refused with the line that is wrong.
func checkID(id string, line int) error {
	raw, err := json.Marshal(archive.Request{Query: scenario.Query{AssetIDs: []string{id}}})
	if err == nil {
		_, err = archive.ParseRequest(raw)
	}
	if err != nil {
		return invalid("line %d: %s is no asset ID; an ID is made of letters, digits, '_', '-', '.' and ':'", line, quote(id))
	}
	return nil
}

// quote shows what somebody sent, but not all of it.
func quote(s string) string { return fmt.Sprintf("%.80q", s) }

// lines reads a list that has an ID on each line.
type lines struct {
	r      *bufio.Reader
	decode func(line []byte, number int, first bool) (string, error) // "" skips the line
	number int
	begun  bool
}

func (l *lines) next() (string, int, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		l.number++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", 0, invalid("line %d is longer than %d bytes; put one asset ID on each line", l.number, maxLine)
		case errors.Is(err, io.EOF) && len(line) == 0:
			return "", 0, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return "", 0, readError(err)
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		id, err := l.decode(line, l.number, !l.begun)
		l.begun = true
		if id != "" || err != nil {
			return id, l.number, err
		}
	}
}

func fromText(line []byte, _ int, first bool) (string, error) {
	if first && headerRank(string(line)) >= 0 {
		return "", nil
	}
	return string(line), nil
}

// fromJSON takes a string, or an object that has the ID in a field.
func fromJSON(line []byte, number int, _ bool) (string, error) {
	var id string
	if line[0] == '{' {
		id = fieldOf(line)
	} else if json.Unmarshal(line, &id) != nil {
		id = ""
	}
	if id == "" {
		return "", invalid("line %d: %s is not \"asset_…\" or {\"assetId\": \"asset_…\"}", number, quote(string(line)))
	}
	return id, nil
}

// fieldOf is the ID in an object's field, the surest first; other fields are left alone.
func fieldOf(line []byte) (id string) {
	var fields struct {
		AssetID json.RawMessage `json:"assetId"`
		Snake   json.RawMessage `json:"asset_id"`
		ID      json.RawMessage `json:"id"`
	}
	if json.Unmarshal(line, &fields) != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{fields.AssetID, fields.Snake, fields.ID} {
		if json.Unmarshal(raw, &id) == nil && id != "" {
			return id
		}
	}
	return ""
}

// headers are the names of a column of IDs, the surest first.
var headers = []string{"assetid", "assetids", "asset", "assets", "id"}

// headerRank is the place of a name among headers; -1 for what is no header.
func headerRank(name string) int {
	return slices.Index(headers, strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", `"`, "").Replace(name)))
}

// scanLimit ends a list that goes on without giving its IDs.
type scanLimit struct {
	r    io.Reader
	read int64
}

func (s *scanLimit) Read(p []byte) (int, error) {
	if s.read >= maxScan {
		return 0, invalid("the list's first %d bytes have fewer than %d different asset IDs; remove what is no ID",
			maxScan, scenario.MaxAssets+1)
	}
	n, err := s.r.Read(p)
	s.read += int64(n)
	return n, err
}

// readError tells a body that broke off from a limit of ours.
func readError(err error) error {
	if archive.IsNamed(err) {
		return err
	}
	return broken(err)
}

package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
)

// read reads a list as the handler does.
func read(f batch.Format, content string) ([]string, bool, error) {
	l, err := readList(strings.NewReader(content), f)
	return l.ids, l.more, err
}

// What a list may be is package batch's; this is what the inbox makes of it.
func TestReadList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		format  batch.Format
		content string
		want    string // the IDs, or after '!' what the error says
	}{
		{"one", batch.FormatText, "a", "a"},
		{"repeats", batch.FormatText, "b\na\nb\na\nc", "b a c"},
		{"header alone", batch.FormatText, "assetId\n", "!no asset IDs"},
		{"empty", batch.FormatText, "", "!no asset IDs"},
		{"mark alone", batch.FormatText, "\xef\xbb\xbf", "!no asset IDs"},
		{"blank", batch.FormatText, "\n\r\n \n", "!no asset IDs"},
		{"too many blanks", batch.FormatText, strings.Repeat(strings.Repeat(" ", 1023)+"\n", 65<<10), "!have no asset ID"},
		{"no ID", batch.FormatText, "a\nb c", `!line 2 of the list has "b c"`},
		{"CSV with a header", batch.FormatCSV, "name,Asset ID,tags\nhero,a,x\n\"vil\nlain\",b\n", "a b"},
		{"CSV of nothing", batch.FormatCSV, "\n\n", "!no asset IDs"},
		{"JSONL", batch.FormatJSONL, "\"a\"\n{\"assetId\":\"b\",\"id\":\"x\"}\r\n{\"asset_id\":\"c\"}\n\n{\"id\":\"d\"}", "a b c d"},
		{"gzip", batch.FormatText, zipped(t), "!compressed (gzip)"},
		{"workbook", batch.FormatCSV, workbook(t), "!a ZIP or an Excel file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ids, more, err := read(c.format, c.content)
			if says, fails := strings.CutPrefix(c.want, "!"); fails {
				if archive.NameOf(err) != archive.RequestInvalid || !strings.Contains(err.Error(), says) || len(err.Error()) > 500 {
					t.Errorf("got %v, %T %v; want %s", ids, err, err, says)
				}
				return
			}
			if err != nil || more || strings.Join(ids, " ") != c.want {
				t.Errorf("got %q, %v, %v; want %s", ids, more, err, c.want)
			}
		})
	}
}

func zipped(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func workbook(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if _, err := w.Create("xl/workbook.xml"); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadListStopsAtOneArchive(t *testing.T) {
	t.Parallel()
	for _, f := range []batch.Format{batch.FormatText, batch.FormatCSV} {
		ids, more, err := read(f, list(1000)+list(1000))
		if err != nil || more || len(ids) != 1000 || ids[999] != "asset_999" {
			t.Errorf("%s: 1000 IDs twice: %d, %v, %v", f, len(ids), more, err)
		}
		ids, more, err = read(f, list(1001))
		if err != nil || !more || len(ids) != 1000 {
			t.Errorf("%s: 1001 IDs: %d, %v, %v", f, len(ids), more, err)
		}
		if _, more, err = read(f, list(1000)+"not an ID\n"); err == nil || more {
			t.Errorf("%s: the last line is not read: %v", f, err)
		}
	}
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, encoding, says string }{
		"10 MB":              {`{"query":{"assetIds":["` + strings.Repeat("a", 10<<20) + `"]}}`, "", "larger than 1048576"},
		"deep":               {`{"query":` + strings.Repeat("[", 1<<19), "", "not JSON"},
		"NULs":               {strings.Repeat("\x00", 1000), "", "not JSON"},
		"gzip":               {zipped(t), "", "compressed (gzip)"},
		"said to be gzip":    {good, "gzip", "Content-Encoding: gzip"},
		"input too large":    {`{"query":{"assetIds":["` + strings.Repeat("a", 256) + strings.Repeat(`","`+strings.Repeat("a", 256), 999) + `"]}}`, "", "split the list"},
		"a key that climbs":  {`{"query":{"assetIds":["a"]},"destination":{"key":"../../x"}}`, "", `".."`},
		"a key of a request": {`{"query":{"assetIds":["a"]},"destination":{"key":"requests/x.json"}}`, "", "requests are dropped"},
		"empty":              {"", "", "not whole JSON"},
		"fields unknown":     {`{"query":{"assetIds":["a"]},"a":1,"b":2}`, "", `"a", "b"`},
		"more than 1000":     {`{"query":{"modelIds":["a"` + strings.Repeat(`,"a"`, 1000) + `]}}`, "", "1001 IDs"},
		"many and models":    {strings.Replace(longRequest, "]", `],"modelIds":["m"]`, 1), "", "cannot be divided"},
		"a list of others":   {`{"list":{"key":"secret.txt"}}`, "", `"list"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			o := f.drop("requests/a.json", c.content)
			kept := f.objects[o.key]
			kept.encoding = c.encoding
			f.objects[o.key] = kept
			if err := f.handle(t.Context(), eventBridge(o)); err != nil {
				t.Fatal(err)
			}
			note := f.note(t, "requests/a.error.json")
			if note["error"] != "RequestInvalid" || !strings.Contains(fmt.Sprint(note["cause"]), c.says) || f.sfn.Started() != 0 {
				t.Errorf("note %v, want %s", note, c.says)
			}
		})
	}
}

func TestChunkedUploadIsPlain(t *testing.T) {
	t.Parallel()
	for encoding, want := range map[string]bool{"": true, "identity": true, "aws-chunked": true, "aws-chunked,gzip": false, "br": false} {
		if err := checkEncoding(encoding); (err == nil) != want {
			t.Errorf("%q: %v", encoding, err)
		}
	}
}

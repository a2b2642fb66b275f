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

func TestReadList(t *testing.T) {
	t.Parallel()
	const bom = "\xef\xbb\xbf"
	for _, c := range []struct {
		name    string
		format  batch.Format
		content string
		want    string // the IDs, or after '!' what the error says
	}{
		{"one", batch.FormatText, "a", "a"},
		{"line ends", batch.FormatText, "a\r\nb\nc\r\n\r\n", "a b c"},
		{"mark, blanks and space", batch.FormatText, bom + "\n \t\n  a \n\n\xc2\xa0b", "a b"},
		{"repeats", batch.FormatText, "b\na\nb\na\nc", "b a c"},
		{"header", batch.FormatText, bom + "Asset IDs\na", "a"},
		{"header alone", batch.FormatText, "assetId\n", "!no asset IDs"},
		{"a header further down", batch.FormatText, "a\nasset id", `!line 2 of the list has "asset id"`},
		{"empty", batch.FormatText, "", "!no asset IDs"},
		{"mark alone", batch.FormatText, bom, "!no asset IDs"},
		{"blank", batch.FormatText, "\n\r\n \n", "!no asset IDs"},
		{"NUL", batch.FormatText, "a\nb\x00c", `!line 2 of the list has "b\x00c"`},
		{"climbing", batch.FormatText, "../../x", `!line 1 of the list has "../../x"`},
		{"not ASCII", batch.FormatText, "ассет", "!line 1"},
		{"not UTF-8", batch.FormatText, "a\xff", "!line 1"},
		{"longest ID", batch.FormatText, strings.Repeat("a", 256), strings.Repeat("a", 256)},
		{"too long an ID", batch.FormatText, "x\n" + strings.Repeat("a", 257), "!line 2"},
		{"too long a line", batch.FormatText, "x\n" + strings.Repeat("a", 2<<20), "!line 2 of the list is longer"},
		{"too many blanks", batch.FormatText, strings.Repeat(strings.Repeat(" ", 1023)+"\n", 65<<10), "!have no asset ID"},
		{"several on a line", batch.FormatText, "a, b", `!line 1 of the list has "a, b"`},

		{"CSV of one column", batch.FormatCSV, "a\nb\n", "a b"},
		{"CSV with a mark, CRLF and quotes", batch.FormatCSV, bom + "\"a\"\r\n\"b\"\r\n", "a b"},
		{"CSV without a header takes the first column", batch.FormatCSV, "a,hero\nb,\"villain, mean\"\n", "a b"},
		{"CSV with a header", batch.FormatCSV, "name,Asset ID,tags\nhero,a,x\n\"vil\nlain\",b\n", "a b"},
		{"CSV prefers the surer header", batch.FormatCSV, "id,asset_id\n1,a\n2,b", "a b"},
		{"CSV with id alone", batch.FormatCSV, "name,ID\nx,a", "a"},
		{"CSV with semicolons", batch.FormatCSV, "assetId;price\na;1,5\nb;2,5,5,5", "a b"},
		{"CSV with tabs", batch.FormatCSV, "name\tasset\nx\ta", "a"},
		{"CSV with empty rows", batch.FormatCSV, "a,\n,\n  ,  \n\nb,", "a b"},
		{"CSV row without an ID", batch.FormatCSV, "assetId,name\na,x\n,y", `!line 3 of the list has ""`},
		{"CSV row that is too short", batch.FormatCSV, "name,assetId\nx,a\ny", "!line 3 of the list has 1 columns"},
		{"CSV line of a wrong ID", batch.FormatCSV, "assetId,name\na,\"x\ny\"\nb c,z", `!line 4 of the list has "b c"`},
		{"CSV with a stray quote", batch.FormatCSV, "a\nb\"c\n", "!line 2 of the list, column 2"},
		{"CSV with text after a quote", batch.FormatCSV, "a\n\"b\"c\n", "!line 2 of the list, column 3"},
		{"CSV with an open quote", batch.FormatCSV, "a\n\"b\nc\n", "!is not closed"},
		{"CSV with an open quote and much after it", batch.FormatCSV, "a\n\"" + strings.Repeat("b\n", 1<<20), "!longer than"},
		{"CSV with a long record", batch.FormatCSV, "a," + strings.Repeat("x", 60<<10) + "\nb", "a b"},
		{"CSV with too long a record", batch.FormatCSV, "a," + strings.Repeat("x", 2<<20) + "\nb", "!longer than"},
		{"CSV with an unknown header", batch.FormatCSV, "the hero,name\na,x", `!line 1 of the list begins with "the hero"`},
		{"CSV (Macintosh)", batch.FormatCSV, "asset_1,hero\rasset_2,villain\rasset_3,x\r", "asset_1 asset_2 asset_3"},
		{"CSV of mixed line ends", batch.FormatCSV, "asset_1,hero\rasset_2,villain\nasset_3,x\n", "!carriage return"},
		{"CSV of nothing", batch.FormatCSV, "\n\n", "!no asset IDs"},

		{"JSONL", batch.FormatJSONL, "\"a\"\n{\"assetId\":\"b\",\"id\":\"x\"}\r\n{\"asset_id\":\"c\"}\n\n{\"id\":\"d\"}", "a b c d"},
		{"JSONL of bare words", batch.FormatJSONL, "\"a\"\nb", "!line 2"},
		{"JSONL of numbers", batch.FormatJSONL, "1", "!line 1"},
		{"JSONL of nulls", batch.FormatJSONL, "null", "!line 1"},
		{"JSONL of empty strings", batch.FormatJSONL, `""`, "!line 1"},
		{"JSONL without an ID", batch.FormatJSONL, `{"name":"x","id":5}`, "!line 1"},
		{"JSONL that is nested deep", batch.FormatJSONL, strings.Repeat("[", 60000), "!line 1"},

		{"gzip", batch.FormatText, zipped(t), "!compressed (gzip)"},
		{"workbook", batch.FormatCSV, workbook(t), "!a ZIP or an Excel file"},
		{"zstd", batch.FormatCSV, "\x28\xb5\x2f\xfd000", "!zstd"},
		{"bzip2", batch.FormatCSV, "BZh91AY", "!bzip2"},
		{"xz", batch.FormatCSV, "\xfd7zXZ\x00", "!xz"},
		{"UTF-16", batch.FormatText, "\xff\xfea\x00\n\x00", "!UTF-16"},
		{"UTF-16, big end first", batch.FormatText, "\xfe\xff\x00a", "!UTF-16"},
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

func FuzzReadList(f *testing.F) {
	for _, seed := range []string{"a\nb", "assetId,x\na,\"b\nc\"\n", "{\"id\":\"a\"}", "\xef\xbb\xbfa;b\r\n", "\"", "\x1f\x8b"} {
		for i := range 3 {
			f.Add(seed, i)
		}
	}
	f.Fuzz(func(t *testing.T, content string, which int) {
		format := []batch.Format{batch.FormatText, batch.FormatCSV, batch.FormatJSONL}[uint(which)%3]
		ids, _, err := read(format, content)
		if err != nil {
			if archive.NameOf(err) != archive.RequestInvalid {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] || !archive.ValidID(id) {
				t.Fatalf("%q", id)
			}
			seen[id] = true
		}
	})
}

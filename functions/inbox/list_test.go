package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// read reads a list as the handler does.
func read(f form, content string) ([]string, bool, error) {
	r, err := text(strings.NewReader(content), "")
	if err != nil {
		return nil, false, err
	}
	return readList(r, f)
}

func TestReadList(t *testing.T) {
	t.Parallel()
	const bom = "\xef\xbb\xbf"
	for _, c := range []struct {
		name    string
		form    form
		content string
		want    string // the IDs, or after '!' what the error says
	}{
		{"one", formText, "a", "a"},
		{"line ends", formText, "a\r\nb\nc\r\n\r\n", "a b c"},
		{"mark, blanks and space", formText, bom + "\n \t\n  a \n\n\xc2\xa0b", "a b"},
		{"repeats", formText, "b\na\nb\na\nc", "b a c"},
		{"header", formText, bom + "Asset IDs\na", "a"},
		{"header alone", formText, "assetId\n", "!no asset IDs"},
		{"a header further down", formText, "a\nasset id", `!line 2: "asset id" is no asset ID`},
		{"empty", formText, "", "!no asset IDs"},
		{"mark alone", formText, bom, "!no asset IDs"},
		{"blank", formText, "\n\r\n \n", "!no asset IDs"},
		{"NUL", formText, "a\nb\x00c", `!line 2: "b\x00c" is no asset ID`},
		{"climbing", formText, "../../x", `!line 1: "../../x" is no`},
		{"not ASCII", formText, "ассет", "!line 1"},
		{"not UTF-8", formText, "a\xff", "!line 1"},
		{"longest ID", formText, strings.Repeat("a", 256), strings.Repeat("a", 256)},
		{"too long an ID", formText, "x\n" + strings.Repeat("a", 257), "!line 2"},
		{"too long a line", formText, "x\n" + strings.Repeat("a", 70<<10), "!line 2 is longer than 65536"},
		{"too many blanks", formText, strings.Repeat(strings.Repeat(" ", 1023)+"\n", 65<<10), "!have fewer than 1001"},
		{"several on a line", formText, "a, b", `!line 1: "a, b"`},

		{"CSV of one column", formCSV, "a\nb\n", "a b"},
		{"CSV with a mark, CRLF and quotes", formCSV, bom + "\"a\"\r\n\"b\"\r\n", "a b"},
		{"CSV without a header takes the first column", formCSV, "a,hero\nb,\"villain, mean\"\n", "a b"},
		{"CSV with a header", formCSV, "name,Asset ID,tags\nhero,a,x\n\"vil\nlain\",b\n", "a b"},
		{"CSV prefers the surer header", formCSV, "id,asset_id\n1,a\n2,b", "a b"},
		{"CSV with id alone", formCSV, "name,ID\nx,a", "a"},
		{"CSV with semicolons", formCSV, "assetId;price\na;1,5\nb;2,5,5,5", "a b"},
		{"CSV with tabs", formCSV, "name\tasset\nx\ta", "a"},
		{"CSV with empty rows", formCSV, "a,\n,\n  ,  \n\nb,", "a b"},
		{"CSV row without an ID", formCSV, "assetId,name\na,x\n,y", "!line 3 has no asset ID in column 1"},
		{"CSV row that is too short", formCSV, "name,assetId\nx,a\ny", "!line 3 has no asset ID in column 2"},
		{"CSV line of a wrong ID", formCSV, "assetId,name\na,\"x\ny\"\nb c,z", `!line 4: "b c"`},
		{"CSV with a stray quote", formCSV, "a\nb\"c\n", "!line 2, column 2: bare"},
		{"CSV with text after a quote", formCSV, "a\n\"b\"c\n", "!line 2"},
		{"CSV with an open quote", formCSV, "a\n\"b\nc\n", "!correct the quotes"},
		{"CSV with an open quote and much after it", formCSV, "a\n\"" + strings.Repeat("b\n", 1<<20), "!is a quote not closed"},
		{"CSV with a long record", formCSV, "a," + strings.Repeat("x", 60<<10) + "\nb", "a b"},
		{"CSV with too long a record", formCSV, "a," + strings.Repeat("x", 100<<10) + "\nb", "!longer than 65536"},
		{"CSV with an unknown header", formCSV, "the hero,name\na,x", `!line 1: "the hero"`},
		{"CSV of nothing", formCSV, "\n\n", "!no asset IDs"},

		{"JSONL", formJSONL, "\"a\"\n{\"assetId\":\"b\",\"id\":\"x\"}\r\n{\"asset_id\":\"c\"}\n\n{\"id\":\"d\"}", "a b c d"},
		{"JSONL of bare words", formJSONL, "\"a\"\nb", "!line 2"},
		{"JSONL of numbers", formJSONL, "1", "!line 1"},
		{"JSONL of nulls", formJSONL, "null", "!line 1"},
		{"JSONL of empty strings", formJSONL, `""`, "!line 1"},
		{"JSONL without an ID", formJSONL, `{"name":"x","id":5}`, "!line 1"},
		{"JSONL that is nested deep", formJSONL, strings.Repeat("[", 60000), "!line 1"},

		{"gzip", formText, zipped(t), "!compressed (gzip)"},
		{"workbook", formCSV, workbook(t), "!a ZIP file or a workbook"},
		{"zstd", formCSV, "\x28\xb5\x2f\xfd000", "!zstd"},
		{"bzip2", formCSV, "BZh91AY", "!bzip2"},
		{"xz", formCSV, "\xfd7zXZ\x00", "!xz"},
		{"UTF-16", formText, "\xff\xfea\x00\n\x00", "!UTF-16"},
		{"UTF-16, big end first", formText, "\xfe\xff\x00a", "!UTF-16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ids, more, err := read(c.form, c.content)
			if says, fails := strings.CutPrefix(c.want, "!"); fails {
				_, named := err.(archive.RequestInvalid)
				if !named || !strings.Contains(err.Error(), says) || len(err.Error()) > 500 {
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
	for _, f := range []form{formText, formCSV} {
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

func TestLongListIsHandedOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.handle(t.Context(), eventBridge(f.drop("requests/long.csv", list(1001)))); err != nil {
		t.Fatal(err)
	}
	note := f.note(t, "requests/long.error.json")
	if note["error"] != "RequestInvalid" || !strings.Contains(fmt.Sprint(note["cause"]), "more than 1000 assets") || f.sfn.Started() != 0 {
		t.Errorf("note %v", note)
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
		"more than 1000":     {`{"query":{"assetIds":["a"` + strings.Repeat(`,"a"`, 1000) + `]}}`, "", "1001 IDs"},
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
		if _, err := text(strings.NewReader("a"), encoding); (err == nil) != want {
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
		form := []form{formText, formCSV, formJSONL}[uint(which)%3]
		ids, _, err := read(form, content)
		if err != nil {
			if _, named := err.(archive.RequestInvalid); !named {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] || checkID(id, 1) != nil {
				t.Fatalf("%q", id)
			}
			seen[id] = true
		}
	})
}

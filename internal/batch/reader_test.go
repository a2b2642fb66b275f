package batch

import (
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

func readAll(r io.Reader, f Format) (ids []string, err error) {
	for id, err := range NewReader(r, f).IDs() {
		if err != nil {
			return ids, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func TestReader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		format Format
		list   string
		want   string
	}{
		{"nothing", FormatText, "", ""},
		{"blank lines alone", FormatText, "\n \r\n\t\n", ""},
		{"lines", FormatText, "a\nb\nc\n", "a b c"},
		{"no end of line", FormatText, "a\nb", "a b"},
		{"CRLF, blanks, spaces", FormatText, "\r\n a \r\n\r\n\tb\r\n", "a b"},
		{"byte order mark", FormatText, "\xef\xbb\xbfa\nb", "a b"},
		{"byte order mark alone", FormatText, "\xef\xbb\xbf", ""},
		{"header", FormatText, "Asset ID\na\n", "a"},
		{"header after a mark", FormatText, "\xef\xbb\xbfassetId\r\na", "a"},
		{"a header is one only at the top", FormatText, "a\nassetId\n", "a assetId"},
		{"old line ends", FormatText, "a\rb\r\rc\r", "a b c"},
		{"a carriage return at the very end", FormatText, "a\nb\r", "a b"},
		{"CRCRLF", FormatText, "a\r\r\nb", "a b"},
		{"a space of another kind", FormatText, "a\n\xc2\xa0b", "a b"},
		{"longest ID", FormatText, strings.Repeat("a", 256), strings.Repeat("a", 256)},
		{"duplicates stay", FormatText, "a\na\n", "a a"},

		{"one column", FormatCSV, "a\nb\n", "a b"},
		{"header", FormatCSV, "assetId\na\n", "a"},
		{"first column without a header", FormatCSV, "a,x\nb,y\n", "a b"},
		{"named column", FormatCSV, "prompt,asset_id,id\nhi,a,1\nho,b,2\n", "a b"},
		{"the surer name wins", FormatCSV, "id,Asset\n1,a\n2,b\n", "a b"},
		{"semicolons", FormatCSV, "name;AssetID\nx,y;a\n", "a"},
		{"semicolons where the comma is a decimal point", FormatCSV, "assetId;price\na;1,5\nb;2,5,5,5", "a b"},
		{"a long field", FormatCSV, "a," + strings.Repeat("x", 60<<10) + "\nb", "a b"},
		{"tabs", FormatCSV, "name\tassetId\nx\ta\n", "a"},
		{"quotation marks", FormatCSV, "\"prompt\",\"assetId\"\n\"a \"\"b\"\", c\",\"a\"\n", "a"},
		{"spaces before quotation marks", FormatCSV, "x,assetId\n1, \"a\"\n \"2\",b\n\"\",\"c\"\n", "a b c"},
		{"line ends in quotation marks", FormatCSV, "prompt,assetId\n\"two\r\n\r\nlines, with comma\",a\nx,b\n", "a b"},
		{"separators alone", FormatCSV, "assetId,x\na,1\n,\n\n b , 2 \n", "a b"},
		{"empty fields between tabs", FormatCSV, "a\tb\tassetId\n\t\tx\n", "x"},
		{"spaces before a field", FormatCSV, "name, assetId\nx, a\n", "a"},
		{"fewer columns at the end", FormatCSV, "assetId,x,y\na,1\nb\n", "a b"},
		{"empty columns at the end", FormatCSV, "assetId\na,\n", "a"},
		{"other assets beside a named column", FormatCSV, "assetId,parent\na,asset_1\n", "a"},
		{"CSV (Macintosh)", FormatCSV, "asset_1,hero\rasset_2,villain\rasset_3,\r", "asset_1 asset_2 asset_3"},
		{"CSV (Macintosh) with a line end in a field", FormatCSV, "x,assetId\r\"two\nlines\",a\rx,b", "a b"},
		{"a carriage return in a field", FormatCSV, "x,assetId\n\"two\rlines\",a\nx,b", "a b"},
		{"CRCRLF", FormatCSV, "a\r\r\nb\r\r\n", "a b"},
		{"CRLF and mark", FormatCSV, "\xef\xbb\xbfassetId,x\r\na,1\r\n", "a"},

		{"strings", FormatJSONL, "\"a\"\n\n\"b\"\r\n", "a b"},
		{"objects", FormatJSONL, `{"assetId":"a","x":{"id":"no"}}` + "\n" + `{"id":"b"}`, "a b"},
		{"the surer name wins", FormatJSONL, `{"id":"no","asset_id":"a"}`, "a"},

		{"array", FormatJSON, `["a", "b"]`, "a b"},
		{"empty array", FormatJSON, ` [ ] `, ""},
		{"mark", FormatJSON, "\xef\xbb\xbf[\"a\"]\n", "a"},
		{"array of objects", FormatJSON, `[{"assetId":"a"},{"id":"b"}]`, "a b"},
		{"array in an object", FormatJSON, `{"n":[1,{"assetIds":["no"]}],"assetIds":["a"],"more":{"x":[]}}`, "a"},
	} {
		got, err := readAll(strings.NewReader(c.list), c.format)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s, %s: got %q, %v; want %q", c.format, c.name, got, err, c.want)
		}
		if slow, err := readAll(iotest.OneByteReader(strings.NewReader(c.list)), c.format); err != nil || !slices.Equal(slow, got) {
			t.Errorf("%s, %s: byte by byte: got %q, %v", c.format, c.name, slow, err)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxRecord)
	for _, c := range []struct {
		name   string
		format Format
		list   string
		want   string
	}{
		{"no ID", FormatText, "a\n\nb c\n", `line 3 of the list has "b c"`},
		{"NUL", FormatText, "a\x00\n", "line 1"},
		{"path", FormatText, "../../x\n", "line 1"},
		{"URL", FormatText, "https://app.scenario.com/asset_1\n", "line 1"},
		{"ID too long", FormatText, strings.Repeat("x", 257), "line 1"},
		{"line too long", FormatText, "a\n" + long + "x\n", "line 2 of the list is longer"},
		{"gzip", FormatText, "\x1f\x8b\x08\x00", "compressed"},
		{"Excel", FormatCSV, "PK\x03\x04....", "Excel"},
		{"UTF-16, little end first", FormatCSV, "\xff\xfea\x00", "UTF-16"},
		{"UTF-16, big end first", FormatText, "\xfe\xff\x00a", "UTF-16"},
		{"Unicode", FormatText, "ásset\n", "line 1"},
		{"LF, then CR", FormatText, "a\nb\rc\nd\n", "line 2 of the list ends with a carriage return"},
		{"CR, then LF", FormatText, "a\rb\nc\n", "line 2 of the list ends with a carriage return"},
		{"several IDs a line", FormatText, "a b\n", "line 1"},
		{"form feeds", FormatText, "a\fb\f", "line 1"},
		{"not UTF-8", FormatText, "a\xff\n", "line 1"},
		{"bzip2", FormatCSV, "BZh91AY", "bzip2"},
		{"xz", FormatCSV, "\xfd7zXZ\x00", "xz"},
		{"zstd", FormatText, "\x28\xb5\x2f\xfd....", "zstd"},

		{"header that names no ID", FormatCSV, "a prompt,size\nx,1\n", "neither an asset ID nor a header"},
		{"missing column", FormatCSV, "x,assetId\n1,a\n2\n", "line 3 of the list has 1 columns"},
		{"empty ID", FormatCSV, "x,assetId\n1,\n", "line 2"},
		{"open quotation mark", FormatCSV, "assetId,x\na,\"never\nends", "begins at line 2 of the list is not closed"},
		{"stray quotation marks", FormatCSV, "a,5\" wide\nb,6\" wide\nc,x\n", "line 1 of the list, column 4"},
		{"a quotation mark in an ID", FormatCSV, "a\nb\"\"c\n", "line 2"},
		{"text after a quotation mark", FormatCSV, "a\n\"b\"c\n", "line 2"},
		{"LF, then CR", FormatCSV, "a,x\nb,\rc,x\n", "line 2 of the list ends with a carriage return"},
		{"CR, then CRLF", FormatCSV, "a,x\rb,x\r\nc,x\n", "line 2 of the list ends with a carriage return"},
		{"an ID that a comma moved", FormatCSV, "prompt,assetId\na cat,dog,asset_1\n", "line 2 of the list has 3 columns"},
		{"a column without a name", FormatCSV, "a\nb,c\n", "line 2 of the list has 2 columns"},
		{"IDs in a row", FormatCSV, "asset_1,asset_2,asset_3\n", "an asset ID in column 2"},
		{"two columns for the IDs", FormatCSV, "assetId,asset_ids\na,b\n", "two columns"},
		{"record of too many lines", FormatCSV, "assetId,x\na,\"" + strings.Repeat("\n", 1<<21), "longer"},
		{"record too long", FormatCSV, "assetId,x\na,\"" + strings.Repeat(long[:1000]+"\n", 1100), "longer"},

		{"no JSON", FormatJSONL, "\"a\"\nb\n", "line 2 of the list"},
		{"number", FormatJSONL, "1\n", "neither a JSON string nor an object"},
		{"empty string", FormatJSONL, `""`, "line 1"},
		{"nested deep", FormatJSONL, strings.Repeat("[", 60_000), "line 1"},
		{"null", FormatJSONL, "null\n", "line 1"},
		{"object without an ID", FormatJSONL, `{"name":"a"}`, `no string "assetId"`},
		{"ID that is a number", FormatJSONL, `{"assetId":1}`, `no string "assetId"`},

		{"two IDs in an object", FormatJSONL, `{"assetId":"a","asset_id":"b"}`, `the second is "asset_id"`},
		{"the same field twice", FormatJSONL, `{"assetId":"a","assetId":"b"}`, `the second is "assetId"`},
		{"two values a line", FormatJSONL, `"a" "b"`, "line 1"},

		{"two lists", FormatJSON, `{"assetIds":["a"],"asset_ids":["b"]}`, "given twice"},
		{"the same list twice", FormatJSON, `{"assetIds":["a"],"assetIds":["b"]}`, "given twice"},
		{"nothing", FormatJSON, "", "ends after element 0"},
		{"cut in the array", FormatJSON, `["a","b"`, "ends after element 2"},
		{"cut in a value", FormatJSON, `["a","b`, "ends after element 1"},
		{"cut in the object", FormatJSON, `{"assetIds":["a"]`, "ends after element 1"},
		{"more after it", FormatJSON, `["a"] ["b"]`, "followed by more"},
		{"no list", FormatJSON, `{"query":{}}`, "neither a JSON array"},
		{"string", FormatJSON, `"a"`, "neither a JSON array"},
		{"assetIds of another type", FormatJSON, `{"assetIds":"a"}`, "neither a JSON array"},
		{"syntax", FormatJSON, `["a" "b"]`, "not JSON after element 1"},
		{"nested", FormatJSON, `[["a"]]`, "element 1 of the list"},
		{"no ID", FormatJSON, `["a","b c"]`, `element 2 of the list is "b c"`},
		{"value too long", FormatJSON, `["a","` + long + long, "longer than"},
		{"space too long", FormatJSON, `["a",` + strings.Repeat(" ", 3*maxRecord) + `"b"]`, "longer than"},
		{"deep", FormatJSON, `[` + strings.Repeat(`[`, 200_000), "not"},
	} {
		_, err := readAll(strings.NewReader(c.list), c.format)
		if archive.NameOf(err) != archive.RequestInvalid {
			t.Errorf("%s, %s: got %T (%v), want RequestInvalid", c.format, c.name, err, err)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %q does not say %q", c.format, c.name, err, c.want)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%s, %s: the message has %d bytes", c.format, c.name, len(err.Error()))
		}
	}
}

// A source that breaks off must not be taken for a list that ends, nor for one that is wrong.
func TestReaderPassesTheSourcesErrorOn(t *testing.T) {
	t.Parallel()
	broken := archive.NewError(archive.DestinationUnavailable, nil, "broken")
	for _, f := range []Format{FormatText, FormatCSV, FormatJSONL, FormatJSON} {
		for _, list := range []string{"", map[Format]string{
			FormatText: "a\n", FormatCSV: "assetId,x\na,\"b\n", FormatJSONL: "\"a\"\n", FormatJSON: `["a",`,
		}[f]} {
			r := io.MultiReader(strings.NewReader(list), iotest.ErrReader(broken))
			if _, err := readAll(r, f); !errors.Is(err, broken) {
				t.Errorf("%s after %q: got %v", f, list, err)
			}
		}
	}
}

// endless is a list that is one value without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	if e.read == 0 {
		copy(p, `["`)
	}
	e.read += len(p)
	return len(p), nil
}

func TestReaderStopsAtAnEndlessValue(t *testing.T) {
	t.Parallel()
	for _, f := range []Format{FormatText, FormatCSV, FormatJSONL, FormatJSON} {
		source := &endless{}
		_, err := readAll(source, f)
		if archive.NameOf(err) != archive.RequestInvalid {
			t.Errorf("%s: got %v", f, err)
		}
		if source.read > 4*maxRecord {
			t.Errorf("%s: %d bytes were read", f, source.read)
		}
	}
}

// repeated is a long list.
type repeated struct {
	piece string
	left  int
	rest  string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = r.piece
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func TestReaderKeepsNothing(t *testing.T) { // not parallel: it looks at the heap
	for f, piece := range map[Format]string{
		FormatText: "asset_0123456789\n", FormatCSV: "asset_0123456789,\"a \"\"prompt\"\"\"\n", FormatJSONL: `{"assetId":"asset_0123456789"}` + "\n",
	} {
		l := NewReader(&repeated{piece: piece, left: 100_000}, f)
		var before, after runtime.MemStats
		n := 0
		for _, err := range l.IDs() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 1000 {
				runtime.GC()
				runtime.ReadMemStats(&before)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n != 100_000 {
			t.Errorf("%s: %d IDs", f, n)
		}
		if after.HeapAlloc > before.HeapAlloc+1<<20 {
			t.Errorf("%s: the heap grew from %d to %d bytes", f, before.HeapAlloc, after.HeapAlloc)
		}
		runtime.KeepAlive(l)
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"a\nb", "assetId,x\na,\"\n\"", `["a",{"id":"b"}]`, "\"a\"\n", "\xef\xbb\xbf", `{"assetIds":["a"]}`, "[[[[",
		"asset_1,hero\rasset_2,villain\r", "a\rb\nc", "a\r\r\nb", "\"a\r\",b\nc,\r", "x,assetId\r\"\n\",a\rb", "a\tb\tassetId\n\t\tx",
		`{"id":"a","id":"b"}`, "asset_1,asset_2\n", "a;b,c\n", "a\x00,b\n", "\xff,a\n", "a,\"\"\"\",b\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		for _, format := range []Format{FormatText, FormatCSV, FormatJSONL, FormatJSON} {
			ids, err := readAll(strings.NewReader(list), format)
			if err != nil {
				if archive.NameOf(err) != archive.RequestInvalid {
					t.Fatalf("%s: %T: %v", format, err, err)
				}
			}
			if same := strings.ReplaceAll(list, "\n", "\r"); !strings.Contains(list, "\r") {
				if got, otherErr := readAll(strings.NewReader(same), format); !slices.Equal(got, ids) || (otherErr == nil) != (err == nil) {
					t.Fatalf("%s: with carriage returns: %q, %v; with line feeds: %q, %v", format, got, otherErr, ids, err)
				}
			}
			for _, id := range ids {
				if !archive.ValidID(id) || !strings.Contains(list, id) && format != FormatJSON && format != FormatJSONL {
					t.Fatalf("%s: ID %q", format, id)
				}
			}
		}
	})
}

package unpack

import (
	"bytes"
	"hash/crc32"
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

// unicodePath is Info-ZIP's field for a name.
func unicodePath(raw, name string) []byte {
	sum := crc32.ChecksumIEEE([]byte(raw))
	b := []byte{0x75, 0x70, byte(5 + len(name)), 0, 1, byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)}
	return append(b, name...)
}

// The rules for keys, one line each. docs/requests.md has them for people.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, raw, want string
		flags           uint16
		extra           []byte
	}{
		{rule: "a plain name", raw: "a/b.png", want: "a/b.png"},
		{rule: "never above the prefix", raw: "../../a.png", want: "a.png"},
		{rule: "never above the prefix, in the middle", raw: "a/../../b.png", want: "a/b.png"},
		{rule: "absolute", raw: "/etc/a.png", want: "etc/a.png"},
		{rule: "dot segments", raw: "./a/./b.png", want: "a/b.png"},
		{rule: "empty segments", raw: "a//b.png", want: "a/b.png"},
		{rule: "backslashes", raw: `a\..\b.png`, want: "a/b.png"},
		{rule: "drive letters", raw: `C:\a\b.png`, want: "a/b.png"},
		{rule: "a drive letter alone", raw: "c:", want: "_"},
		{rule: "control characters", raw: "a\x01\n\x7f.png", want: "a___.png"},
		{rule: "NUL", raw: "a.png\x00.exe", want: "a.png_.exe"},
		{rule: "what XML cannot hold", raw: "a\ufffe\u2028.png", want: "a__.png"},
		{rule: "nothing", raw: "", want: "_"},
		{rule: "nothing but dots", raw: "../..", want: "_"},
		{rule: "three dots are a name", raw: ".../a", want: ".../a"},
		{rule: "spaces stay", raw: " a b ", want: " a b "},
		{rule: "UTF-8 by its flag", raw: "héros.png", flags: zipfile.FlagUTF8, want: "héros.png"},
		{rule: "UTF-8 without a flag", raw: "héros.png", want: "héros.png"},
		{rule: "code page 437", raw: "h\x82ros\xe1.png", want: "hérosß.png"},
		{rule: "broken UTF-8 with its flag", raw: "h\x82ros.png", flags: zipfile.FlagUTF8, want: "h_ros.png"},
		{rule: "Unicode path", raw: "h\x82ros.png", extra: unicodePath("h\x82ros.png", "ヒーロー.png"), want: "ヒーロー.png"},
		{rule: "Unicode path of another name", raw: "hero.png", extra: unicodePath("other", "no.png"), want: "hero.png"},
		{rule: "Unicode path that escapes", raw: "a", extra: unicodePath("a", "../../b"), want: "b"},
		{rule: "too long for a disk: cut between characters, with a hash and the extension", raw: "a/" + strings.Repeat("é", 200) + ".png",
			want: "a/" + strings.Repeat("é", 109) + "~fd9c4d3ac9a6e5b1fd9c4d3ac9a6e5b1.png"},
		{rule: "too long for S3, without an extension", raw: strings.Repeat("a/", 600) + "b", want: strings.Repeat("a/", 485) + "a"},
	} {
		e := &zipfile.Entry{Name: []byte(c.raw), Flags: c.flags, Extra: c.extra, Size: 1}
		got := relative(name(e), 1004)
		if strings.HasPrefix(c.rule, "too long") { // whatever the hash is
			before, after, found := strings.Cut(got, "~")
			stem, _, _ := strings.Cut(c.want, "~")
			if !found || before != stem || len(after) != hashChars+len(path.Ext(c.raw)) || path.Ext(got) != path.Ext(c.raw) {
				t.Errorf("%s: got %q", c.rule, got)
			}
		} else if got != c.want {
			t.Errorf("%s: %q becomes %q; want %q", c.rule, c.raw, got, c.want)
		}
	}
}

func TestLeftOut(t *testing.T) {
	t.Parallel()
	for n, c := range map[string]struct {
		size int64
		want bool
	}{
		"folder/": {0, true}, `folder\`: {0, true}, "folder/ with content/": {5, false}, "__MACOSX/a/._b.png": {5, true},
		"a/.DS_Store": {5, true}, ".DS_Store": {5, true}, "a/__MACOSX/b.png": {5, false}, "a.DS_Store": {5, false}, "empty": {0, false},
		`__MACOSX\._a`: {5, true},
	} {
		if got := leftOut(&zipfile.Entry{Size: c.size}, n); got != c.want {
			t.Errorf("%q (%d bytes): left out %v; want %v", n, c.size, got, c.want)
		}
	}
}

// keys are those of an archive with these names, in order.
func keys(limit int, names ...string) (all []string) {
	var hashes []uint64
	for _, n := range names {
		hashes = append(hashes, hashOf(relative(n, limit)))
	}
	given := newNamer(hashes, limit)
	for _, n := range names {
		all = append(all, given.key(relative(n, limit)))
	}
	given.restart()
	for i, n := range names { // the same again: what a resumed run relies on
		if again := given.key(relative(n, limit)); again != all[i] {
			return nil
		}
	}
	return all
}

func TestNamesThatMeet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ names, want string }{
		{"a.png a.png a.png", "a.png a~2.png a~3.png"},
		{"a.png a~2.png a.png", "a.png a~2.png a~3.png"},
		{"a.png a.png a~2.png", "a.png a~3.png a~2.png"},
		{"a a ./a b/../a", "a a~2 a~3 b/a"},
		{"x/a.png y/a.png x/a.png", "x/a.png y/a.png x/a~2.png"},
		{"contents.jsonl contents.jsonl", "contents~2.jsonl contents~3.jsonl"},
		{"a/contents.jsonl", "a/contents.jsonl"},
		{".gitignore .gitignore", ".gitignore .gitignore~2"},
		{"a~2.png a~2.png a.png a.png", "a~2.png a~2~2.png a.png a~3.png"},
		{"A.png a.png", "A.png a.png"},
	} {
		if got := strings.Join(keys(1000, strings.Fields(c.names)...), " "); got != c.want {
			t.Errorf("%s: got %s; want %s", c.names, got, c.want)
		}
	}
}

// FuzzKeys: whatever names an archive has, no key leaves the prefix, none is too long or broken, and no two are equal.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{"a.png\na.png", "../x\n..\\x\nC:x\n/x", "a~2\na\na", "h\x82ros\nh\xc3\xa9ros", "\x00\n\x7f\n\u2028", "contents.jsonl",
		strings.Repeat("n", 300) + ".png\n" + strings.Repeat("n", 300) + ".png", strings.Repeat("../", 400), "a/\na", ".\n..\n..."} {
		f.Add([]byte(seed), uint16(0))
		f.Add([]byte(seed), uint16(zipfile.FlagUTF8))
	}
	f.Fuzz(func(t *testing.T, data []byte, flags uint16) {
		var names []string
		for raw := range bytes.SplitSeq(data, []byte("\n")) {
			names = append(names, name(&zipfile.Entry{Name: raw, Flags: flags}))
		}
		const limit = 200
		given := keys(limit, names...)
		if given == nil {
			t.Fatal("a second run gives other keys")
		}
		seen := map[string]bool{contentsName: true}
		for i, key := range given {
			if key == "" || len(key) > limit || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
				t.Errorf("%q becomes %q", names[i], key)
			}
			for segment := range strings.SplitSeq(key, "/") {
				if segment == "" || segment == "." || segment == ".." {
					t.Errorf("%q becomes %q", names[i], key)
				}
			}
			if seen[key] {
				t.Errorf("%q is given twice", key)
			}
			seen[key] = true
		}
	})
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"a.png": "image/png", "b/a.JPG": "image/jpeg", "a.txt": "text/plain; charset=utf-8", "a.unknown": "", "a": "", ".png/a": "", "a.html": "",
	} {
		if got := typeByName(key); got != want {
			t.Errorf("%s: got %q; want %q", key, got, want)
		}
	}
	for begin, want := range map[string]string{
		"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff": "image/jpeg", "glTF\x02": "model/gltf-binary", "\x76\x2f\x31\x01": "image/x-exr",
		"#?RADIANCE\n": "image/vnd.radiance", "II*\x00": "image/tiff", "\x00\x00\x00\x1cftypavif": "image/avif",
		"\x00\x00\x00\x14ftypqt  ": "video/quicktime", "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom": "video/mp4",
		"RIFF\x00\x00\x00\x00WAVE": "audio/wav", "RIFF\x00\x00\x00\x00WEBPVP": "image/webp", "<html><script>": "text/plain; charset=utf-8",
		"<?xml version=\"1.0\"?><svg>": "text/plain; charset=utf-8", "plain": "text/plain; charset=utf-8", "\x00\x01\x02": "application/octet-stream", "": "text/plain; charset=utf-8",
	} {
		if got := typeByContent([]byte(begin)); got != want {
			t.Errorf("%q: got %q; want %q", begin, got, want)
		}
	}
}

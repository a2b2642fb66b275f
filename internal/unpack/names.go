package unpack

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scenario-archive/scenario-archive/internal/zipfile"
)

const (
	maxKeyBytes = 1024 // "Naming Amazon S3 objects", S3 User Guide
	// hashChars of a shortened key distinguish it from every other: 128 bits, so that nobody can make two that meet.
	hashChars = 32
	// maxExtension is how much behind a name's last dot is taken for its extension.
	maxExtension = 16
	// maxSegment is the longest file name of the disks that objects are copied to, in bytes.
	maxSegment = 255
	// MaxPrefix is how long the prefix may be, in bytes: the rest is for a name, shortened if need be.
	MaxPrefix = maxKeyBytes - 128
)

// name is an entry's name as text. ZIP knows two encodings: UTF-8 with a flag, and the IBM PC's code page 437 without.
// Many writers use UTF-8 and set no flag; a name in the code page is hardly ever valid UTF-8 by chance.
func name(e *zipfile.Entry) string {
	raw := string(e.Name)
	if e.Flags&zipfile.FlagUTF8 != 0 {
		return strings.ToValidUTF8(raw, "_")
	}
	if n, ok := e.UnicodePath(); ok && utf8.ValidString(n) {
		return n
	}
	if utf8.ValidString(raw) {
		return raw
	}
	return fromCP437(e.Name)
}

// leftOut are entries that make no object: directories, and what macOS adds for itself.
func leftOut(e *zipfile.Entry, n string) bool {
	if e.Size == 0 && (strings.HasSuffix(n, "/") || strings.HasSuffix(n, `\`)) {
		return true
	}
	n = strings.ReplaceAll(n, `\`, "/")
	return strings.HasPrefix(n, "__MACOSX/") || path.Base(n) == ".DS_Store"
}

// relative makes a name into what stands behind the prefix in a key, of at most limit bytes. The table in the tests says
// what becomes of what.
func relative(n string, limit int) string {
	n = strings.Map(harmless, n)
	if len(n) >= 2 && n[1] == ':' && isLetter(n[0]) { // a drive
		n = n[2:]
	}
	kept := make([]string, 0, strings.Count(n, "/")+1)
	for segment := range strings.SplitSeq(n, "/") {
		if segment != "" && segment != "." && segment != ".." {
			kept = append(kept, shorten(segment, maxSegment))
		}
	}
	if len(kept) == 0 {
		return "_"
	}
	return shorten(strings.Join(kept, "/"), limit)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// harmless keeps what stands for itself in a key, in a URL, in XML and on a disk.
func harmless(c rune) rune {
	switch {
	case c == '\\':
		return '/'
	case unicode.IsControl(c), c == utf8.RuneError, c == '\u2028', c == '\u2029', c&0xfffe == 0xfffe:
		return '_' // XML, which S3 lists keys in, has none of them
	}
	return c
}

// split divides a key before the extension of its last segment.
func split(key string) (stem, extension string) {
	base := key[strings.LastIndexByte(key, '/')+1:]
	extension = path.Ext(base)
	if extension == base || len(extension) > maxExtension {
		return key, ""
	}
	return key[:len(key)-len(extension)], extension
}

// shorten cuts a key that is too long, keeps its extension and puts a hash of the whole where it was cut.
func shorten(key string, limit int) string {
	if len(key) <= limit {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	stem, extension := split(key)
	end := "~" + hex.EncodeToString(sum[:])[:hashChars] + extension
	stem = stem[:limit-len(end)]
	for !utf8.ValidString(stem) { // cut between characters
		stem = stem[:len(stem)-1]
	}
	return stem + end
}

// cp437 is the upper half of the IBM PC's code page 437, which names without a flag are in (APPNOTE.TXT, appendix D).
var cp437 = []rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
	"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")

func fromCP437(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		if c < 0x80 {
			out.WriteByte(c)
		} else {
			out.WriteRune(cp437[c-0x80])
		}
	}
	return out.String()
}

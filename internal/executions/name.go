package executions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName is the length of an execution's name (StartExecution, "name": 1 to 80 characters).
	maxName = 80
	// hashLength characters of base32 are 130 bits: no two identities meet by accident.
	hashLength = 26
	// maxSlug leaves room for the hash, and keeps an archive's file name, which is made from the name, easy to read.
	maxSlug = 48
	// forbidden in a name by StartExecution, besides white space and control characters.
	forbidden = `<>{}[]?*"#%\^|~` + "`$&,;:/"
)

var encoding = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// Name makes the one name that belongs to an identity: starting with it twice starts once. It begins with what
// is readable of readable, and ends with a hash of all parts of identity. Only letters, digits, '-' and '_' occur, so
// that CloudWatch shows the execution (StartExecution, "name").
func Name(readable string, identity ...string) string {
	h := sha256.New()
	for _, part := range identity { // with its length, so that "a","bc" is another identity than "ab","c"
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return slug(readable) + "-" + encoding.EncodeToString(h.Sum(nil))[:hashLength]
}

// UniqueName makes a name that sorts by time and occurs once: 20260102T150405Z-q3v7k2m9xw4e.
func UniqueName(now time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program first
	return now.UTC().Format("20060102T150405Z") + "-" + encoding.EncodeToString(random[:])[:12]
}

// slug keeps what may stand in a name of s; runs of other characters become one '-'.
func slug(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case b.Len() >= maxSlug:
		case c < utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_'):
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return "archive"
}

// ValidName says whether Step Functions could have an execution of that name. Executions that people start by hand
// have names of their own choice.
func ValidName(name string) bool {
	return name != "" && utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxName &&
		!strings.ContainsFunc(name, func(c rune) bool {
			return unicode.IsSpace(c) || unicode.IsControl(c) || c >= 0xFFFE && c <= 0xFFFF ||
				strings.ContainsRune(forbidden, c)
		})
}

package archive

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/scenario-archive/scenario-archive/scenario"
)

const (
	// maxMessage is the length of a message in bytes: even with every one of them escaped in JSON it is far below what
	// Step Functions takes as a cause, 32,768 characters.
	maxMessage = 4000
	// endOfMessage is how much of its end stays of one that is too long: the advice stands there.
	endOfMessage = 1000
	// maxQuoted is how much of a name, key or ID that somebody sent stands in a message, in bytes.
	maxQuoted = 100
	// maxNames is how many names a message lists.
	maxNames = 10
)

// doubledPeriod is where the advice follows a text that has its own period.
var doubledPeriod = regexp.MustCompile(`([^.])\.\. `)

// Message formats a text for the person who reads an execution's cause. It is at most some thousand bytes long, whatever
// it quotes, and holds no signature of a URL.
func Message(format string, args ...any) string {
	text := scenario.RedactURLs(shorten(fmt.Sprintf(format, args...), 4*maxMessage)) // which takes its time for a long one
	return shorten(doubledPeriod.ReplaceAllString(text, "$1. "), maxMessage)
}

// shorten keeps the start and the end of a text that is longer than most bytes. The end begins with a word, never within a
// URL.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	start, end := text[:most-endOfMessage], text[len(text)-endOfMessage:]
	_, end, _ = strings.Cut(end, " ")
	return strings.ToValidUTF8(start, "") + " … " + strings.ToValidUTF8(end, "")
}

// Abbreviate keeps what somebody sent short enough for a message.
func Abbreviate(s string) string {
	if len(s) <= maxQuoted {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}

// Names lists names that somebody sent, in order and quoted: the first few, and how many more there are.
func Names(names []string) string {
	sorted := slices.Sorted(slices.Values(names))
	var quoted []string
	for _, name := range sorted[:min(len(sorted), maxNames)] {
		quoted = append(quoted, fmt.Sprintf("%q", Abbreviate(name)))
	}
	list := strings.Join(quoted, ", ")
	if more := len(sorted) - maxNames; more > 0 {
		return list + " and " + thousands(more) + " more"
	}
	return list
}

// thousands writes a number as in 12,990.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

package scenario

import "regexp"

// restOfURL ends where a text around the URL goes on, be it JSON within JSON.
const restOfURL = `(?:\\u[0-9a-f]{4}|\\/|[^\s"'<>\\])*`

// What signs a URL, wherever it stands: in JSON the slashes may be escaped, the scheme may be missing or in capitals, and
// the whole may be percent-encoded within another URL.
var (
	urlUser  = regexp.MustCompile(`(?i)((?:\\?/|\\u002f){2})[^\s/\\"'<>@]+@`)
	urlQuery = regexp.MustCompile(`(?i)((?:\\?/|\\u002f){2}[^\s"'<>?#]*?)(?:[?#]|\\u003f|\\u0023)` + restOfURL)
	anyQuery = regexp.MustCompile(`\?[^\s"'<>=]{1,200}=[^\s"'<>]*`)
	encoded  = regexp.MustCompile(`(?i)%3f[^\s"'<>]*`)
	signing  = regexp.MustCompile(`(?i)\b(x-amz-[a-z-]+|signature|key-pair-id|policy|sig|token)=[^\s"'<>&]+`)
)

// RedactURLs cuts off the query, the fragment and the user of everything in a text that looks like a URL, or like a part
// of one: a signed URL is a credential. It cuts rather too much than too little.
func RedactURLs(text string) string {
	text = urlUser.ReplaceAllString(text, "$1…@")
	text = urlQuery.ReplaceAllString(text, "$1?…")
	text = anyQuery.ReplaceAllString(text, "?…")
	text = encoded.ReplaceAllString(text, "%3F…")
	return signing.ReplaceAllString(text, "$1=…")
}

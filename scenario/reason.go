package scenario

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxReason is the greatest length of a Reason, in runes: enough for a sentence or two, too little for a page.
const maxReason = 400

var (
	hiddenHTML = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)\s*>|<!--.*?-->`)
	htmlTag    = regexp.MustCompile(`(?s)<[/!?a-zA-Z][^>]*>`)
)

// reasonKeys are where the API's error answers (and those of gateways before it) say why, in the order in which they
// read best together.
var reasonKeys = []string{"apiError", "error", "message", "reason", "detail", "title", "errors", "hint", "errorMessage"}

// A cleaner makes texts from outside fit for an error or a log: it knows the secrets that they must not hold.
type cleaner struct{ secrets []string }

func newCleaner(c Credentials) cleaner {
	pair := c.Key + ":" + c.Secret
	secrets := []string{
		pair, base64.StdEncoding.EncodeToString([]byte(pair)),
		c.Secret, url.QueryEscape(c.Secret), url.PathEscape(c.Secret),
		c.Key, url.QueryEscape(c.Key), url.PathEscape(c.Key),
	}
	// Longest first: a secret inside another must not break it up.
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return cleaner{secrets: slices.DeleteFunc(slices.Compact(secrets), func(s string) bool { return s == "" })}
}

// text removes secrets, what signs a URL, control characters and markup, and shortens.
func (c cleaner) text(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, redacted)
	}
	s = hiddenHTML.ReplaceAllString(s, " ")
	s = htmlTag.ReplaceAllString(s, " ")
	s = strings.Map(printable, strings.ToValidUTF8(s, "\uFFFD"))
	s = RedactURLs(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > maxReason {
		s = string(runes[:maxReason-1]) + "…"
	}
	return s
}

// printable makes a space of what is no visible character, line breaks and direction marks included.
func printable(r rune) rune {
	if unicode.IsGraphic(r) {
		return r
	}
	return ' '
}

// answer finds why in the body of an error answer: JSON of any known shape, or else its text.
func (c cleaner) answer(body []byte) string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return c.text(string(body))
	}
	return c.value(value)
}

// value finds why in decoded JSON.
func (c cleaner) value(values ...any) string {
	var parts []string
	for _, v := range values {
		parts = collectReasons(parts, v, 0)
	}
	return c.text(strings.Join(parts, ": "))
}

func collectReasons(parts []string, value any, depth int) []string {
	const maxDepth, maxParts = 4, 4
	if depth > maxDepth || len(parts) >= maxParts {
		return parts
	}
	switch v := value.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" && !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	case map[string]any:
		for _, key := range reasonKeys {
			parts = collectReasons(parts, v[key], depth+1)
		}
	case []any:
		for _, element := range v {
			parts = collectReasons(parts, element, depth+1)
		}
	}
	return parts
}

// ceiling reads which per-team limit a 429 is about: details.actionName and details.actionLimit, at the top or within
// the error.
func (c cleaner) ceiling(body []byte) (action string, limit int) {
	type holder struct {
		Details struct {
			ActionName  string
			ActionLimit any
		}
	}
	var top struct {
		holder
		Error, APIError holder
	}
	_ = decodeObject(body, &top) // nothing is found in what is none
	for _, h := range []holder{top.holder, top.Error, top.APIError} {
		if name := h.Details.ActionName; name != "" {
			return c.text(name), wholeNumber(h.Details.ActionLimit)
		}
	}
	return "", 0
}

// wholeNumber reads a number, also one within a string; 0 if it is none or not a sensible count.
func wholeNumber(value any) int {
	switch v := value.(type) {
	case float64:
		if v >= 0 && v <= 1<<53 {
			return int(v)
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil && n >= 0 {
			return n
		}
	}
	return 0
}

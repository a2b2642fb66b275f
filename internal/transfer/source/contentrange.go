package source

import (
	"errors"
	"strconv"
	"strings"
)

// ContentRange is a parsed Content-Range header (RFC 9110, section 14.4): bytes from to (inclusive) of size, -1 where
// the header says "*".
type ContentRange struct{ From, To, Size int64 }

var errMalformed = errors.New("Content-Range is malformed")

// ParseContentRange reads the header; whatever is not exactly one range of bytes is an error.
func ParseContentRange(header string) (ContentRange, error) {
	unit, rest, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return ContentRange{}, errMalformed
	}
	span, total, ok := strings.Cut(strings.TrimSpace(rest), "/")
	if !ok {
		return ContentRange{}, errMalformed
	}
	c := ContentRange{From: -1, To: -1, Size: -1}
	if total != "*" {
		if c.Size, ok = parseDigits(total); !ok {
			return ContentRange{}, errMalformed
		}
	}
	if span == "*" { // the answer to a range that cannot be served
		if c.Size < 0 {
			return ContentRange{}, errMalformed
		}
		return c, nil
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return ContentRange{}, errMalformed
	}
	var ok1, ok2 bool
	c.From, ok1 = parseDigits(first)
	c.To, ok2 = parseDigits(last)
	if !ok1 || !ok2 || c.From > c.To || c.Size >= 0 && c.To >= c.Size {
		return ContentRange{}, errMalformed
	}
	return c, nil
}

// parseDigits takes digits alone: strconv would take a sign as well.
func parseDigits(s string) (int64, bool) {
	for _, r := range s {
		if r < '0' || r > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

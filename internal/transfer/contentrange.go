package transfer

import (
	"errors"
	"strconv"
	"strings"
)

// contentRange is a parsed Content-Range header (RFC 9110, section 14.4): bytes from to (inclusive) of size, -1 where
// the header says "*".
type contentRange struct{ from, to, size int64 }

var errContentRange = errors.New("Content-Range is malformed")

func parseContentRange(header string) (contentRange, error) {
	unit, rest, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return contentRange{}, errContentRange
	}
	span, total, ok := strings.Cut(strings.TrimSpace(rest), "/")
	if !ok {
		return contentRange{}, errContentRange
	}
	c := contentRange{from: -1, to: -1, size: -1}
	if total != "*" {
		if c.size, ok = parseDigits(total); !ok {
			return contentRange{}, errContentRange
		}
	}
	if span == "*" { // the answer to a range that cannot be served
		if c.size < 0 {
			return contentRange{}, errContentRange
		}
		return c, nil
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return contentRange{}, errContentRange
	}
	var ok1, ok2 bool
	c.from, ok1 = parseDigits(first)
	c.to, ok2 = parseDigits(last)
	if !ok1 || !ok2 || c.from > c.to || c.size >= 0 && c.to >= c.size {
		return contentRange{}, errContentRange
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

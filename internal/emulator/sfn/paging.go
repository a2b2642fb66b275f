package sfn

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// What a list gives at once (API reference: maxResults).
const (
	defaultPage = 100
	maxPage     = 1000
)

func pageSize(n int) (int, error) {
	switch {
	case n < 0 || n > maxPage:
		return 0, &APIError{"ValidationException", fmt.Sprintf("maxResults must be from 0 to %d", maxPage)}
	case n == 0:
		return defaultPage, nil
	}
	return n, nil
}

// token makes a nextToken of where a list goes on, and of what list it is.
func token(list string, position int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", position, list))
}

func readToken(list, text string) (int, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		number, of, _ := strings.Cut(string(b), " ")
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && of == list {
			return n, nil
		}
	}
	return 0, &APIError{"InvalidToken", "Invalid Token: 'Invalid token'"}
}

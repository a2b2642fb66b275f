package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

const maxKey = 255 // characters of an Idempotency-Key

// parameters reads the query. A parameter that the endpoint does not have is refused, for a misspelt filter would
// answer with everything; those of a signed URL are the gateway's.
func parameters(r *http.Request, known ...string) (map[string]string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter("the query is not percent-encoded as it should be")
	}
	var unknown []string
	values := map[string]string{}
	for name, given := range query {
		switch {
		case strings.HasPrefix(strings.ToLower(name), "x-amz-"):
		case !slices.Contains(known, name):
			unknown = append(unknown, name)
		case len(given) > 1:
			return nil, badParameter("%s is given %d times; give it once", name, len(given))
		default:
			values[name] = given[0]
		}
	}
	if len(unknown) > 0 {
		return nil, badParameter("there are no such parameters here: %s", archive.Names(unknown))
	}
	return values, nil
}

func badParameter(format string, args ...any) error {
	return newProblem(http.StatusBadRequest, errParameterInvalid, format, args...)
}

// limit reads a parameter that is a whole number from 1 to most; def when it is not given.
func limit(values map[string]string, def, most int) (int, error) {
	text, ok := values["limit"]
	if !ok {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most || strings.HasPrefix(text, "+") {
		return 0, badParameter("limit is %.20q; it must be a whole number from 1 to %d", text, most)
	}
	return n, nil
}

// yes reads a parameter that is true or false; false when it is not given.
func yes(values map[string]string, name string) (bool, error) {
	v, given := values[name]
	if given && v != "true" && v != "false" {
		return false, badParameter("%s is %.20q; it must be true or false", name, v)
	}
	return v == "true", nil
}

// idempotencyKey reads the header: "" when there is none. The draft of the HTTPAPI working group writes the key in
// double quotes, most clients do not; both are the same key.
func idempotencyKey(h http.Header) (string, error) {
	given := h.Values("Idempotency-Key")
	if len(given) == 0 {
		return "", nil
	}
	key := strings.Trim(given[0], " \t")
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	printable := !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(given) > 1 || key == "" || len(key) > maxKey || !printable {
		return "", badParameter("Idempotency-Key must be given once and have 1 to %d printable ASCII characters", maxKey)
	}
	return key, nil
}

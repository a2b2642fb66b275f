package rest

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
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
	return errParameterInvalid.problem(format, args...)
}

// listParameters reads the query of a list, whose pages have so many items unless "limit" says otherwise: a whole number
// from 1 to most.
func listParameters(r *http.Request, items, most int, known ...string) (values map[string]string, limit int, err error) {
	values, err = parameters(r, append(known, "limit", "cursor")...)
	text, given := values["limit"]
	if err != nil || !given {
		return values, items, err
	}
	limit, err = strconv.Atoi(text)
	if err != nil || limit < 1 || limit > most || strings.HasPrefix(text, "+") {
		err = badParameter("limit is %.20q; it must be a whole number from 1 to %d", text, most)
	}
	return values, limit, err
}

// onlyFlag reads the query of an endpoint that has one parameter, which is true or false; false when it is not given.
func onlyFlag(r *http.Request, name string) (bool, error) {
	values, err := parameters(r, name)
	v, given := values[name]
	if given && v != "true" && v != "false" {
		err = badParameter("%s is %.20q; it must be true or false", name, v)
	}
	return v == "true", err
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

var rankOfRange = map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}

// acceptsJSON reads Accept (RFC 9110, 12.5.1): the most specific range that fits application/json decides. What is no
// media range is passed over; an Accept without any is like none.
func acceptsJSON(accept []string) bool {
	best, accepted, ranges := -1, true, 0
	for _, item := range strings.Split(strings.Join(accept, ","), ",") {
		media, parameters, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		ranges++
		if rank, fits := rankOfRange[media]; fits && rank >= best {
			best, accepted = rank, weight(parameters["q"]) > 0
		}
	}
	return ranges == 0 || best >= 0 && accepted
}

func weight(q string) float64 {
	w, err := strconv.ParseFloat(q, 64)
	if err != nil {
		return 1
	}
	return w
}

// checkMediaType wants application/json, in UTF-8, not compressed.
func checkMediaType(h http.Header) error {
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" {
		return errMediaType.problem("send the request as Content-Type: application/json, "+
			"in UTF-8").with("Accept", "application/json")
	}
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return errMediaType.problem("the body is compressed; send it as it is").
			with("Accept-Encoding", "identity")
	}
	return nil
}

// body reads a request's body, which must be JSON by its headers.
func (a *api) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := checkMediaType(r.Header); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge.problem("the body has more than %d bytes; split the "+
			"list of assets into several requests", maxBody)
	case err != nil:
		return nil, errBodyInvalid.problem("the body was not sent whole").because(err)
	}
	return body, nil
}

// notJSON distinguishes a body that is no JSON from a wrong request.
func notJSON(body []byte, err error) error {
	if archive.NameOf(err) == archive.RequestInvalid && !json.Valid(body) {
		return errBodyInvalid.problem("%s", err.Error())
	}
	return err
}

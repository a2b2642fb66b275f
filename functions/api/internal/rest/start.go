package rest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/executions"
)

// maxDepth is the deepest nesting of a body that is looked at. A request needs three.
const maxDepth = 16

// start serves POST /archives. It answers once Step Functions has taken the request.
func (a *api) start(w http.ResponseWriter, r *http.Request) error {
	if _, err := parameters(r); err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	if err := checkMediaType(r.Header); err != nil {
		return err
	}
	body, err := a.body(w, r)
	if err != nil {
		return err
	}
	input, err := admit(body)
	if err != nil {
		return err
	}
	e, err := a.Archives.Start(r.Context(), a.name(key), input)
	if err != nil {
		return err
	}
	v := a.describe(r, e)
	w.Header().Set("Location", v.Links.Self)
	writeJSON(w, http.StatusAccepted, "application/json", v)
	return nil
}

// name decides whether this request is another one or the same again.
func (a *api) name(key string) string {
	if key == "" {
		return executions.UniqueName(a.Now())
	}
	return executions.Name(key, "idempotency key", key)
}

func (a *api) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, errTooLarge, "the body has more than %d bytes; split the "+
			"list of assets into several requests", a.MaxBody)
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, errRequestInvalid, "the body was not sent whole").because(err)
	}
	return body, nil
}

// admit makes an execution's input of a body, so that what can never work is never started. What is no JSON is told
// from what is a wrong request.
func admit(body []byte) (string, error) {
	if depth(body) > maxDepth {
		return "", newProblem(http.StatusBadRequest, errRequestInvalid, "the body is nested deeper than %d levels", maxDepth)
	}
	request, err := archive.ParseRequest(body)
	if err != nil && !json.Valid(body) {
		return "", newProblem(http.StatusBadRequest, errRequestInvalid, "%s", err.Error())
	}
	if err != nil {
		return "", err
	}
	return executions.Input(request)
}

// depth is how deep arrays and objects are nested in a JSON text; of another text it is a number that means nothing.
func depth(text []byte) int {
	level, deepest := 0, 0
	inString, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{', c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}', c == ']':
			level--
		}
	}
	return deepest
}

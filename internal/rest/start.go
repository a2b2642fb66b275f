package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
	"github.com/scenario-archive/scenario-archive/internal/batch"
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
	ask, err := a.admit(r.Context(), body)
	if err != nil {
		return err
	}
	e, err := a.begin(r.Context(), key, ask)
	if err != nil {
		return err
	}
	v := a.describe(r, ask.machine, e)
	w.Header().Set("Location", v.Links.Self)
	writeJSON(w, http.StatusAccepted, "application/json", v)
	return nil
}

func (a *api) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, errTooLarge, "the body has more than %d bytes; split the "+
			"list of assets into several requests", maxBody)
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, errRequestInvalid, "the body was not sent whole").because(err)
	}
	return body, nil
}

// order is what a body asks for: an execution of a machine, with an input.
type order struct {
	machine *executions.Machine
	input   string
}

// admit makes an execution's input of a body, so that what can never work is never started. What is no JSON is told
// from what is a wrong request.
func (a *api) admit(ctx context.Context, body []byte) (order, error) {
	if depth(body) > maxDepth {
		return order{}, newProblem(http.StatusBadRequest, errRequestInvalid, "the body is nested deeper than %d levels", maxDepth)
	}
	if a.Batches != nil && batch.IsLong(body) {
		return a.admitLong(ctx, body)
	}
	request, err := archive.ParseRequest(body)
	if err != nil && !json.Valid(body) {
		return order{}, newProblem(http.StatusBadRequest, errRequestInvalid, "%s", err.Error())
	}
	if err != nil {
		return order{}, err
	}
	input, err := executions.Input(request)
	return order{a.Archives, input}, err
}

// begin starts what is ordered. A key belongs to one request, whichever machine takes it; what asks for another one at
// the very same time is not seen.
func (a *api) begin(ctx context.Context, key string, o order) (executions.Execution, error) {
	if key == "" {
		return o.machine.Start(ctx, uniqueName(a, o), o.input)
	}
	if a.Batches != nil {
		other := order{machine: a.Archives}
		if o.machine == a.Archives {
			other.machine = a.Batches
		}
		if _, err := other.machine.Describe(ctx, keyedName(a, other, key)); err == nil { // a failure is told by the start
			return executions.Execution{}, &executions.Error{Op: "start the execution", Kind: executions.KindOtherInput}
		}
	}
	return o.machine.Start(ctx, keyedName(a, o, key), o.input)
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

package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/executions"
)

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
	p, err := a.prepare(r.Context(), body)
	if err != nil {
		return err
	}
	e, err := a.Start(r.Context(), key, p, a.Now())
	if err != nil {
		return err
	}
	v := a.describe(r, p.Machine, e)
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

// prepare makes an execution's input of a body, so that what can never work is never started. What is no JSON is told
// from what is a wrong request.
func (a *api) prepare(ctx context.Context, body []byte) (executions.Prepared, error) {
	p, err := a.Prepare(ctx, body, "assets")
	if err != nil && !json.Valid(body) {
		return p, newProblem(http.StatusBadRequest, errRequestInvalid, "%s", err.Error())
	}
	return p, err
}

package rest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/scenario-archive/scenario-archive/internal/archive"
)

// start serves POST /archives. It answers once Step Functions has taken the request.
func (a *api) start(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r, "dryRun")
	if err != nil {
		return err
	}
	dryRun, err := yes(values, "dryRun")
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return err
	}
	body, err := a.body(w, r)
	if err != nil {
		return err
	}
	if dryRun {
		return a.estimate(w, r, body)
	}
	p, err := a.Prepare(r.Context(), body, "assets")
	if err != nil {
		return notJSON(body, err)
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

// body reads a request's body, which must be JSON by its headers.
func (a *api) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := checkMediaType(r.Header); err != nil {
		return nil, err
	}
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

// notJSON distinguishes a body that is no JSON from a wrong request.
func notJSON(body []byte, err error) error {
	if archive.NameOf(err) == archive.RequestInvalid && !json.Valid(body) {
		return newProblem(http.StatusBadRequest, errRequestInvalid, "%s", err.Error())
	}
	return err
}

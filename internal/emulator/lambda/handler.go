package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
)

// ServeHTTP answers POST /2015-03-31/functions/{name or ARN}/invocations as the Invoke API does, for the AWS CLI and
// SDKs with --endpoint-url, to this machine alone. Every answer carries x-amzn-RequestId, without which SDKs refuse it.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	loopback.Guard(http.HandlerFunc(s.serve)).ServeHTTP(w, r)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", newRequestID())
	w.Header().Set("Content-Type", "application/json")
	name, ok := functionOf(r)
	if !ok {
		writeError(w, &Error{"UnknownOperationException", http.StatusNotFound, "only Invoke is served here"})
		return
	}
	payload, size, err := readBounded(r.Body, MaxRequest)
	switch {
	case errors.Is(err, errTooLong):
		writeError(w, errTooLarge(int(size)))
	case err != nil: // the caller has gone
	default:
		s.serveInvoke(w, r, name, payload)
	}
}

// functionOf takes the function out of the path. The path's own decoding applies: an ARN's colons may be escaped.
func functionOf(r *http.Request) (string, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/")
	if !ok || r.Method != http.MethodPost {
		return "", false
	}
	name, ok := strings.CutSuffix(rest, "/invocations")
	if qualifier := r.URL.Query().Get("Qualifier"); qualifier != "" {
		name += ":" + qualifier
	}
	return name, ok && name != ""
}

func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, name string, payload []byte) {
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		s.serveSync(w, r, name, payload)
	case "Event":
		s.serveEvent(w, r, name, payload)
	case "DryRun":
		if _, err := s.lookup(name); err != nil {
			writeError(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		writeError(w, &Error{"InvalidParameterValueException", http.StatusBadRequest, "unknown invocation type " + kind})
	}
}

func (s *Service) serveSync(w http.ResponseWriter, r *http.Request, name string, payload []byte) {
	result, functionError, err := s.Invoke(r.Context(), name, payload)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	if functionError != "" {
		w.Header().Set("X-Amz-Function-Error", functionError)
	}
	_, _ = w.Write(result) // the caller may have gone
}

// serveEvent runs the function once, in the background; what it returns is dropped, as on AWS. Unlike AWS it does not
// run it again after an error.
func (s *Service) serveEvent(w http.ResponseWriter, r *http.Request, name string, payload []byte) {
	if _, err := s.lookup(name); err != nil {
		writeError(w, err)
		return
	}
	if _, err := checkPayload(payload); err != nil {
		writeError(w, err)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	go func() { // ends at Close at the latest
		if _, functionError, err := s.Invoke(ctx, name, payload); err != nil || functionError != "" {
			s.options.Logger.Warn("event invocation failed", "function", name, "error", err)
		}
	}()
	w.WriteHeader(http.StatusAccepted)
}

// writeError writes a service error in the API's form.
func writeError(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{"ServiceException", http.StatusInternalServerError, err.Error()}
	}
	w.Header().Set("x-amzn-ErrorType", e.Code)
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": e.Message})
}

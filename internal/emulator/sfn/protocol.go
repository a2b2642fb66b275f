package sfn

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// The AWS JSON 1.0 protocol, as the service model of Step Functions names its parts.
const (
	targetPrefix = "AWSStepFunctions."
	contentType  = "application/x-amz-json-1.0"
	maxBody      = 2 << 20 // the largest input, escaped, and the rest of a request
)

// operation answers one action of the API.
type operation func(s *Service, body []byte) (any, error)

// answers makes an operation of a method that takes the request's members.
func answers[T any](f func(s *Service, in T) (any, error)) operation {
	return func(s *Service, body []byte) (any, error) {
		var in T
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &APIError{"SerializationException", "the body is not the JSON of this action: " + err.Error()}
		}
		return f(s, in)
	}
}

// ServeHTTP answers the AWS JSON 1.0 protocol. Signatures are not checked: a listener of it is a loopback port's, behind
// loopback.Guard.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", asl.NewUUID())
	if r.Method != http.MethodPost || r.URL.Path != "/" {
		http.Error(w, "this is a Step Functions endpoint: POST / with the AWS JSON 1.0 protocol", http.StatusNotFound)
		return
	}
	out, err := s.answer(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != contentType {
		return nil, &APIError{"SerializationException", "the Content-Type must be " + contentType}
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	op := operations[name]
	if !ok || op == nil {
		return nil, &APIError{"UnknownOperationException", "this endpoint does not have the action " + name}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, &APIError{"SerializationException", "the body cannot be read: " + err.Error()}
	}
	return op(s, body)
}

func (s *Service) writeError(w http.ResponseWriter, r *http.Request, err error) {
	var known *APIError
	if !errors.As(err, &known) {
		s.log.Error("a request failed", "action", r.Header.Get("X-Amz-Target"), "error", err)
		known = &APIError{"InternalFailure", "the request failed; see the log"}
	}
	status := http.StatusBadRequest
	if known.Code == "InternalFailure" {
		status = http.StatusInternalServerError
	}
	w.Header().Set("x-amzn-ErrorType", known.Code)
	writeJSON(w, status, map[string]string{"__type": known.Code, "message": known.Message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone, or all is written
}

// Timestamp is a time; its form in the protocol is seconds since 1970, with milliseconds.
type Timestamp struct{ time.Time }

// MarshalJSON is the protocol's form.
func (t Timestamp) MarshalJSON() ([]byte, error) { return json.Marshal(float64(t.UnixMilli()) / 1000) }

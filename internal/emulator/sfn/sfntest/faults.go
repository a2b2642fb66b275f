package sfntest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Fault is an answer instead of the right one.
type Fault struct {
	Status int    // of HTTP
	Code   string // such as ThrottlingException; "" breaks the connection off
}

// Break makes f decide, for each call, whether it goes wrong and how; nil is no fault.
func (s *Server) Break(f func(operation string) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Hide lets the next n descriptions of an execution find nothing, as DescribeExecution is eventually consistent.
func (s *Server) Hide(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden[name] = n
}

// Calls is how often an operation was called through the API.
func (s *Server) Calls(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[operation]
}

// ServeHTTP is the service with the test's faults before it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if f := s.decide(operation, body); f != nil {
		f.answer(w)
		return
	}
	s.Service.ServeHTTP(w, r)
}

// decide counts the call, and says how it goes wrong; nil if it does not.
func (s *Server) decide(operation string, body []byte) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[operation]++
	if s.fault != nil {
		if f := s.fault(operation); f != nil {
			return f
		}
	}
	var in struct{ ExecutionArn string }
	if operation != "DescribeExecution" || json.Unmarshal(body, &in) != nil {
		return nil
	}
	name := in.ExecutionArn[strings.LastIndexByte(in.ExecutionArn, ':')+1:]
	if s.hidden[name] == 0 {
		return nil
	}
	s.hidden[name]--
	return &Fault{http.StatusBadRequest, "ExecutionDoesNotExist"}
}

func (f *Fault) answer(w http.ResponseWriter) {
	if f.Code == "" {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(f.Status)
	_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.states#%s","message":"%s by the test"}`, f.Code, f.Code)
}

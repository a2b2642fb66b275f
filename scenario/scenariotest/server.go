package scenariotest

import (
	"fmt"
	"net/http/httptest"
)

// Server is a stand-in that listens on a loopback address of its own.
type Server struct {
	*Handler
	// URL is the server's base URL, without a path: "http://127.0.0.1:41234".
	URL    string
	server *httptest.Server
}

// NewServer starts a stand-in; Close it. It panics if the options cannot work, as [NewHandler] does.
func NewServer(o Options) *Server {
	handler := NewHandler(o)
	server := httptest.NewServer(handler)
	return &Server{Handler: handler, URL: server.URL, server: server}
}

// BaseURL is what a client of the API takes as its base URL.
func (s *Server) BaseURL() string { return s.URL + "/v1" }

// ArchiveURL is a fresh signed URL of a job's archive.
func (s *Server) ArchiveURL(jobID string) (string, error) {
	j := s.jobs.find(jobID)
	if j == nil {
		return "", fmt.Errorf("scenariotest: no job %s", jobID)
	}
	return s.signer.url(s.URL, j, s.options.Now()), nil
}

// Close cuts all connections and waits for the requests on them to end.
func (s *Server) Close() {
	s.Handler.Close()
	s.server.CloseClientConnections()
	s.server.Close()
}

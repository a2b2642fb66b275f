package scenariotest

import (
	"net/http"
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
func NewServer(o Options) *Server { return start(o, (*httptest.Server).Start) }

// NewTLSServer starts one that speaks TLS; [Server.Client] trusts it.
func NewTLSServer(o Options) *Server { return start(o, (*httptest.Server).StartTLS) }

func start(o Options, listen func(*httptest.Server)) *Server {
	handler := NewHandler(o)
	server := httptest.NewUnstartedServer(handler)
	listen(server)
	return &Server{Handler: handler, URL: server.URL, server: server}
}

// BaseURL is what a client of the API takes as its base URL.
func (s *Server) BaseURL() string { return s.URL + "/v1" }

// Client is an HTTP client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.server.Client() }

// ArchiveURL is a fresh signed URL of a job's archive.
func (s *Server) ArchiveURL(jobID string) (string, error) { return s.SignURL(s.URL, jobID) }

// Close cuts all connections and waits for the requests on them to end.
func (s *Server) Close() {
	s.Handler.Close()
	s.server.CloseClientConnections()
	s.server.Close()
}

package system

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/apigateway"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3"
	"github.com/scenario-archive/scenario-archive/internal/rest/page"
)

const (
	apiFunction   = "api"
	inboxFunction = "inbox"
	// entryConcurrency is how many processes either of the two may have: further requests wait.
	entryConcurrency = 4
	// storageTime is how long a request to the S3 server may take that people or an event wait for.
	storageTime = 10 * time.Second
)

// entryFunctions start executions; all other functions are called by executions.
func (s *System) entryFunctions() []string {
	if s.options.API.Addr == "" {
		return nil
	}
	return []string{apiFunction, inboxFunction}
}

// startAPI starts the ways in: the HTTP API, and objects that are dropped into the bucket. They come last, because they
// need the addresses of all else.
func (s *System) startAPI() error {
	if s.options.API.Addr == "" {
		return nil
	}
	listener, err := s.options.API.listen()
	if err != nil {
		return err
	}
	s.APIURL = "http://" + listener.Addr().String()
	s.onClose(func() { _ = listener.Close() })
	if s.entry, err = s.startFunctions(s.entryFunctions(), s.entryFunction, time.Minute); err != nil {
		return err
	}
	handler, err := s.apiHandler()
	if err != nil {
		return err
	}
	s.serveOn(listener, handler)
	return s.watch()
}

// entryFunction describes a function that starts executions, as template.yaml deploys it.
func (s *System) entryFunction(name string) lambda.Function {
	f := s.function(name)
	maps.Copy(f.Env, s.storageVariables())
	f.Env["AWS_ENDPOINT_URL_SFN"] = s.StepFunctionsURL
	f.Concurrency = entryConcurrency
	if name == apiFunction {
		f.Timeout = 29 * time.Second
		f.Env["DOWNLOAD_ENDPOINT_URL"] = s.APIURL // see s3.SignedLinks
	}
	return f
}

// apiHandler is the API, and beside it what exists on this machine alone: the page, the bucket by signed links, and the
// progress of transfers.
func (s *System) apiHandler() (http.Handler, error) {
	endpoint, err := url.Parse(s.S3.Endpoint)
	if err != nil {
		return nil, err
	}
	trust, err := s.S3.TLS()
	if err != nil {
		return nil, err
	}
	log := s.logs.logger("gateway")
	transport := &http.Transport{TLSClientConfig: trust, ResponseHeaderTimeout: time.Minute}
	s.onClose(transport.CloseIdleConnections)
	api := page.Handler(apigateway.New(apigateway.Options{Concurrency: entryConcurrency, Logger: log,
		Invoke: func(ctx context.Context, event []byte) ([]byte, string, error) {
			return s.entry.Invoke(ctx, apiFunction, event)
		}}))
	bucket := s3.SignedLinks(endpoint, transport, log)
	return loopback.GuardSite(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isProgress := strings.CutPrefix(r.URL.Path, ProgressPath)
		switch { // by hand: http.ServeMux would change paths, and so break what is signed
		case isProgress && r.Method == http.MethodGet:
			s.progress.serve(w, name)
		case strings.HasPrefix(r.URL.Path, "/"+Bucket+"/"):
			bucket.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})), nil
}

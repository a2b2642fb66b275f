package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/apigateway"
	"github.com/scenario-archive/scenario-archive/internal/emulator/lambda"
	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3"
	"github.com/scenario-archive/scenario-archive/internal/rest/page"
	"github.com/scenario-archive/scenario-archive/local/notify"
)

const (
	apiFunction   = "api"
	inboxFunction = "inbox"
	// entryConcurrency is how many processes either of the two may have: further requests wait.
	entryConcurrency = 4
	// storageTime is how long a request to the S3 server may take that people or an event wait for.
	storageTime    = 10 * time.Second
	requestsPrefix = "requests/"
	syncsPrefix    = "syncs/"
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
	if err := s.startEntryFunctions(); err != nil {
		_ = listener.Close()
		return err
	}
	handler, err := s.apiHandler()
	if err != nil {
		_ = listener.Close()
		return err
	}
	s.serveOn(listener, handler)
	return s.watchRequests()
}

func (s *System) startEntryFunctions() (err error) {
	bin := s.programs()
	var list []lambda.Function
	for _, name := range s.entryFunctions() {
		list = append(list, s.entryFunction(name, bin.Binary(functionPackage(name))))
	}
	s.entry, err = lambda.New(lambda.Options{
		Functions: list, Log: s.functionLine, TempDir: s.temp, QueueTime: time.Minute,
	})
	if err == nil {
		s.onClose(func() { _ = s.entry.Close() })
	}
	return err
}

// entryFunction describes a function that starts executions, as template.yaml deploys it.
func (s *System) entryFunction(name, binary string) lambda.Function {
	f := s.function(name, binary)
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

// watchRequests sends the inbox an event for every object under requests/ and syncs/, also for those put there while
// nothing was running, and one for every execution that ends.
func (s *System) watchRequests() error {
	client, closeIdle, err := s.S3.Connect(storageTime)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	for _, prefix := range []string{requestsPrefix, syncsPrefix} {
		watchers.Go(func() {
			notify.Watch(ctx, notify.Config{
				Storage: client, Bucket: Bucket, Prefix: prefix, Region: Region, Account: Account,
				Deliver: s.deliver, Known: notes{client}.has, Logger: s.logs.logger("inbox"),
			})
		})
	}
	stopWatching := s.watchExecutions(ctx)
	s.onClose(func() {
		cancel()
		stopWatching()
		watchers.Wait()
		closeIdle()
	})
	return nil
}

// deliver gives an event to the inbox.
func (s *System) deliver(ctx context.Context, event []byte) error {
	result, functionError, err := s.entry.Invoke(ctx, inboxFunction, event)
	if err != nil {
		return err
	}
	if functionError != "" {
		var failed struct {
			Message string `json:"errorMessage"`
		}
		if json.Unmarshal(result, &failed) == nil && failed.Message != "" {
			return errors.New(failed.Message)
		}
		return fmt.Errorf("the function failed: %s", functionError)
	}
	return nil
}

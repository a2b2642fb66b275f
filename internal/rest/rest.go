// Package rest is the HTTP API: archives are started, looked up, listed and stopped, and syncs listed and made.
// functions/api/openapi.yaml is its truth.
package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/executions"
	"github.com/scenario-archive/scenario-archive/internal/httpapi"
	"github.com/scenario-archive/scenario-archive/scenario"
)

// maxBody is the largest body of a request in bytes: 4 MiB, more than 100,000 assets. Lambda takes 6 MB in one
// invocation (AWS: "Lambda quotas", invocation payload), in which API Gateway puts what is around the body, and the body
// itself in base64, a third longer, or with its quotation marks escaped.
const maxBody = 4 << 20

// DefaultLinkLifetime is how long a link lasts when the deployment does not say.
const DefaultLinkLifetime = 15 * time.Minute

// Options configure the API. All but CancelJob, Estimate and the last three are required.
type Options struct {
	executions.Starter
	executions.Cleaner
	// Link makes the link for the download of an object.
	Link func(ctx context.Context, bucket, key string) (Link, error)
	// Estimate asks Scenario what an archive would cost; nil when the API has no access to Scenario.
	Estimate func(context.Context, scenario.ArchiveRequest) (scenario.Estimate, error)
	// Files are the bucket's: those of unpacked archives, for links, and those of syncs.
	Files Files
	// LinkLifetime is how long those links last at most; 0 means DefaultLinkLifetime.
	LinkLifetime time.Duration
	Logger       *slog.Logger     // default: discards
	Now          func() time.Time // default: time.Now
}

// Link is a short-lived link.
type Link struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expiresAt"`
	FileName  string    `json:"fileName"`
}

type api struct{ Options }

// New makes the API's handler.
func New(o Options) http.Handler {
	if o.LinkLifetime == 0 {
		o.LinkLifetime = DefaultLinkLifetime
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &api{o}
}

// Broken makes a handler for a deployment that cannot work: it tells every caller what is missing.
func Broken(log *slog.Logger, err error) http.Handler {
	a := &api{Options{Logger: log, Now: time.Now}}
	return a.answering(func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusInternalServerError, errMisconfigured, "the function is not set up: %v", err).because(err)
	})
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.answering(a.serve).ServeHTTP(w, r)
}

// endpoint answers a request, or returns the error to answer with; then it has written nothing.
type endpoint func(http.ResponseWriter, *http.Request) error

// methods are what can be done with a resource. GET serves HEAD, too.
type methods map[string]endpoint

func (a *api) serve(w http.ResponseWriter, r *http.Request) error {
	resource, err := a.route(r)
	if err != nil {
		return err
	}
	allow := resource.allow()
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	serve, ok := resource[method]
	if !ok {
		return newProblem(http.StatusMethodNotAllowed, errMethodNotAllowed, "the method is not allowed here; these are: %s",
			allow).with("Allow", allow)
	}
	if !acceptsJSON(r.Header.Values("Accept")) {
		return newProblem(http.StatusNotAcceptable, errNotAcceptable, "send Accept: application/json, or no Accept")
	}
	return serve(w, r)
}

func (a *api) route(r *http.Request) (methods, error) {
	path := r.URL.EscapedPath()
	if path == "/archives" {
		return methods{http.MethodGet: a.list, http.MethodPost: a.start}, nil
	}
	if path == "/syncs" {
		return methods{http.MethodGet: a.listSyncs, http.MethodPost: a.createSync}, nil
	}
	rest, ok := strings.CutPrefix(path, "/archives/")
	segment, below, deep := strings.Cut(rest, "/")
	if ok && segment != "" && (!deep || below == "files") {
		id, err := url.PathUnescape(segment)
		switch {
		case err != nil || !executions.ValidName(id):
		case deep:
			return methods{http.MethodGet: withID(a.files, id)}, nil
		default:
			return methods{http.MethodGet: withID(a.show, id), http.MethodDelete: withID(a.stop, id)}, nil
		}
		return nil, newProblem(http.StatusNotFound, errNotFound, "there is no archive with this ID")
	}
	return nil, newProblem(http.StatusNotFound, errNotFound, "there is nothing at this path; archives are at /archives, syncs at /syncs")
}

func withID(f func(http.ResponseWriter, *http.Request, string) error, id string) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error { return f(w, r, id) }
}

func (m methods) allow() string {
	names := []string{http.MethodHead, http.MethodOptions}
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// answering runs an endpoint: it sets the headers of every answer, writes the endpoint's error, and logs a line.
func (a *api) answering(serve endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := httpapi.FromContext(r.Context()).RequestID
		if id == "" {
			id = rand.Text()
		}
		sent := &statusWriter{ResponseWriter: w}
		headers(w.Header(), id)
		log := a.Logger.With("requestId", id)
		start := a.Now()
		err := a.guarded(log, serve, sent, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
		if err != nil {
			p := asProblem(err)
			p.Instance = "urn:scenario-archive:request:" + url.PathEscape(id)
			writeProblem(sent, p)
		}
		logAnswer(log, r, sent.status, a.Now().Sub(start), err)
	})
}

// guarded turns a panic into an error: an invocation serves one request, and the next one may be fine.
func (a *api) guarded(log *slog.Logger, serve endpoint, w *statusWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return serve(w, r)
}

type requestIDKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func logAnswer(log *slog.Logger, r *http.Request, status int, took time.Duration, err error) {
	level, args := slog.LevelInfo, []any{"method", r.Method, "path", r.URL.Path, "status", status,
		"durationMs", took.Milliseconds()}
	if err != nil {
		p := asProblem(err)
		args = append(args, "error", p.Name, "detail", p.Detail)
		if p.cause != nil {
			args = append(args, "cause", p.cause.Error())
		}
	}
	if status >= 500 {
		level = slog.LevelError
	}
	log.Log(r.Context(), level, "request served", args...)
}

// headers are those of every answer. No answer is ever displayed in a frame or runs a script, and no answer is kept:
// some hold a signed link.
func headers(h http.Header, requestID string) {
	h.Set("X-Request-Id", requestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Strict-Transport-Security", "max-age=31536000")
}

func writeProblem(w http.ResponseWriter, p *problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // nosniff; and a link can be copied out of the text
	_ = e.Encode(v)        // the caller has gone
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.ResponseWriter.WriteHeader(status)
	}
}

// Package rest is the HTTP API: archives are started, looked up, listed and stopped, and syncs listed and made.
// functions/api/openapi.yaml is its truth.
package rest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/bucket"
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
	// Estimate asks Scenario what an archive would cost; nil when the API has no access to Scenario.
	Estimate func(context.Context, scenario.ArchiveRequest) (scenario.Estimate, error)
	// Bucket has the archives and their files, for links, and the files of syncs.
	Bucket bucket.Bucket
	// LinkLifetime is how long links last at most; 0 means DefaultLinkLifetime.
	LinkLifetime time.Duration
	Logger       *slog.Logger     // default: discards
	Now          func() time.Time // default: time.Now
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
	broken := func(http.ResponseWriter, *http.Request) error {
		return errMisconfigured.problem("the function is not set up: %v", err).because(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, broken) })
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.answer(w, r, a.serve) }

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
		return errMethodNotAllowed.problem("the method is not allowed here; these are: %s", allow).with("Allow", allow)
	}
	if !acceptsJSON(r.Header.Values("Accept")) {
		return errNotAcceptable.problem("send Accept: application/json, or no Accept")
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
	segment, files := strings.CutSuffix(rest, "/files")
	if !ok || segment == "" || strings.Contains(segment, "/") {
		return nil, errNotFound.problem("there is nothing at this path; archives are at /archives, syncs at /syncs")
	}
	id, err := url.PathUnescape(segment)
	if err != nil || !executions.ValidName(id) {
		return nil, errNotFound.problem("there is no archive with this ID")
	}
	r.SetPathValue("id", id)
	if files {
		return methods{http.MethodGet: a.files}, nil
	}
	return methods{http.MethodGet: a.show, http.MethodDelete: a.stop}, nil
}

func (m methods) allow() string {
	names := slices.AppendSeq([]string{http.MethodHead, http.MethodOptions}, maps.Keys(m))
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// answer runs an endpoint: it sets the headers of every answer, writes the endpoint's error, and logs a line.
func (a *api) answer(w http.ResponseWriter, r *http.Request, serve endpoint) {
	info := httpapi.FromContext(r.Context())
	info.RequestID = cmp.Or(info.RequestID, rand.Text())
	r = r.WithContext(httpapi.WithInfo(r.Context(), info))
	sent := &statusWriter{ResponseWriter: w}
	headers(w.Header(), info.RequestID)
	start := a.Now()
	err := a.guarded(serve, sent, r)
	if err != nil {
		p := asProblem(err)
		p.Instance = "urn:scenario-archive:request:" + url.PathEscape(info.RequestID)
		writeProblem(sent, p)
	}
	logAnswer(a.log(r.Context()), r, sent.status, a.Now().Sub(start), err)
}

// guarded turns a panic into an error: an invocation serves one request, and the next one may be fine.
func (a *api) guarded(serve endpoint, w *statusWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log(r.Context()).Error("panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return serve(w, r)
}

func requestID(ctx context.Context) string { return httpapi.FromContext(ctx).RequestID }

func (a *api) log(ctx context.Context) *slog.Logger {
	return a.Logger.With("requestId", requestID(ctx))
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

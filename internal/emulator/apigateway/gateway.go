// Package apigateway is what API Gateway's HTTP API does in front of a function: requests become events of payload
// format 2.0, and the function's answers become responses. internal/httpapi is the function's side.
//
// Both forms are those of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
package apigateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
)

// Limits of an HTTP API, from https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html, and of
// Lambda behind it.
const (
	// MaxBody is the largest body in bytes.
	MaxBody = 10 * 1024 * 1024
	// maxEvent is Lambda's limit for an event.
	maxEvent = 6 * 1024 * 1024
	// integrationTimeout is how long the function may take.
	integrationTimeout = 30 * time.Second
)

// Invoke runs the function once; see lambda.Service.Invoke.
type Invoke func(ctx context.Context, event []byte) (result []byte, functionError string, err error)

// Options says what is behind the front. Invoke is required.
type Options struct {
	Invoke Invoke
	// Concurrency is how many requests the function gets at once; the others wait in line for as long as their callers
	// do. Default 8. It should not be more than the function's own, or Lambda refuses what it cannot take in time.
	Concurrency int
	// Logger gets what went wrong behind an answer of 500 or 503. Default: dropped.
	Logger *slog.Logger
}

// Gateway is the front; it is an http.Handler.
type Gateway struct {
	invoke Invoke
	slots  chan struct{}
	log    *slog.Logger
}

// New makes a front.
func New(o Options) *Gateway {
	return &Gateway{o.Invoke, make(chan struct{}, cmp.Or(o.Concurrency, 8)), cmp.Or(o.Logger, slog.New(slog.DiscardHandler))}
}

// ServeHTTP passes a request to the function.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		loopback.Refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil:
		loopback.Refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	event, err := json.Marshal(newEvent(r, body, time.Now()))
	if err != nil || len(event) > maxEvent {
		loopback.Refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-r.Context().Done():
		return // nobody waits for an answer
	}
	g.pass(w, r, event)
}

func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, event []byte) {
	// The caller's leaving ends nothing: as behind API Gateway, what was asked for is done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), integrationTimeout)
	defer cancel()
	result, functionError, err := g.invoke(ctx, event)
	if err != nil {
		g.log.Error("the function was not run to its end", "cause", err.Error())
		loopback.Refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	if functionError != "" {
		g.log.Error("the function failed", "result", string(result))
		loopback.Refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	a, body, err := readAnswer(result)
	if err != nil {
		g.log.Error("the function's answer has another form", "cause", err.Error())
		loopback.Refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	write(w, a, body)
}

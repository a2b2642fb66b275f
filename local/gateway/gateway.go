// Package gateway is what API Gateway's HTTP API does in front of a function: requests become events of payload format
// 2.0, and the function's answers become responses. It is for one machine alone: pages of other origins are refused.
//
// The event is that of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
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
	// Logger tells of what went wrong behind an answer of 500 or 503. Default: dropped.
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
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Gateway{o.Invoke, make(chan struct{}, o.Concurrency), o.Logger}
}

// ServeHTTP passes a request to the function.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	event, err := json.Marshal(newEvent(r, body, time.Now()))
	if err != nil || len(event) > maxEvent {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
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
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	if functionError != "" {
		g.log.Error("the function failed", "result", string(result))
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	a, err := readAnswer(result)
	if err != nil {
		g.log.Error("the function's answer is none", "cause", err.Error())
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	a.write(w)
}

// refuse answers as API Gateway itself does.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // the caller has gone
}

// Local keeps everybody else away from a server of this machine: only requests for one of the hosts are let through,
// so that no foreign name can be made to point here (DNS rebinding), and from a browser only those of a page of the
// same hosts.
func Local(next http.Handler, hosts ...string) http.Handler {
	known := map[string]bool{}
	for _, h := range hosts {
		known[strings.ToLower(h)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !known[strings.ToLower(r.Host)] {
			refuse(w, http.StatusMisdirectedRequest, "this server is for this machine alone; ask for it by http://"+hosts[0])
			return
		}
		if origins := r.Header.Values("Origin"); len(origins) > 0 && !ofHosts(origins, known) {
			refuse(w, http.StatusForbidden, "pages of other origins may not call this server")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func ofHosts(origins []string, known map[string]bool) bool {
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && u.Scheme == "http" && known[strings.ToLower(u.Host)]
}

// Hosts are the names by which a server that listens on this loopback address can be asked for.
func Hosts(addr string) []string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return []string{addr}
	}
	return []string{addr, net.JoinHostPort("localhost", port)}
}

func requestID() string { return rand.Text()[:16] }

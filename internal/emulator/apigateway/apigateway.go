// Package apigateway puts an http.Handler behind API Gateway: it turns the events of an HTTP API (payload format 2.0)
// and of a REST API (format 1.0, which an HTTP API can be told to send too) into requests, and what the handler
// answers into the response each of them wants.
package apigateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Info is what the gateway knows about a request and HTTP has no place for.
type Info struct {
	// RequestID is the gateway's: it stands in the gateway's access log, too.
	RequestID string
	// Prefix is what stood before the path (a stage, a custom domain's base path): "/prod", or "". The handler does not
	// see it; whoever writes a link puts it in front.
	Prefix string
}

type infoKey struct{}

// FromContext returns what the gateway said about the request; zero when it came from elsewhere.
func FromContext(ctx context.Context) Info {
	info, _ := ctx.Value(infoKey{}).(Info)
	return info
}

// WithInfo returns a context whose requests carry info.
func WithInfo(ctx context.Context, info Info) context.Context {
	return context.WithValue(ctx, infoKey{}, info)
}

// ErrEvent says that an event is not one of API Gateway's.
var ErrEvent = errors.New("the event is neither a payload 2.0 nor a payload 1.0 of API Gateway")

// Handler makes a Lambda handler. basePath is taken off the paths: the base path of a custom domain, or "".
func Handler(h http.Handler, basePath string) func(context.Context, json.RawMessage) (any, error) {
	basePath = strings.TrimSuffix(basePath, "/")
	return func(ctx context.Context, event json.RawMessage) (any, error) {
		var form struct {
			Version    string `json:"version"`
			HTTPMethod string `json:"httpMethod"`
		}
		if json.Unmarshal(event, &form) != nil {
			return nil, ErrEvent
		}
		switch {
		case form.Version == "2.0":
			return serveV2(ctx, h, basePath, event)
		case form.HTTPMethod != "":
			return serveV1(ctx, h, basePath, event)
		}
		return nil, ErrEvent
	}
}

func serveV2(ctx context.Context, h http.Handler, basePath string, event []byte) (any, error) {
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, ErrEvent
	}
	in := incoming{
		method: e.RequestContext.HTTP.Method, path: e.RawPath, query: e.RawQueryString, header: http.Header{},
		body: e.Body, base64: e.IsBase64Encoded, requestID: e.RequestContext.RequestID,
		host: e.RequestContext.DomainName, source: e.RequestContext.HTTP.SourceIP,
	}
	for name, value := range e.Headers {
		in.header.Set(name, value)
	}
	if len(e.Cookies) > 0 {
		in.header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	if stage := e.RequestContext.Stage; stage != "" && stage != "$default" {
		in.cut("/" + stage)
	}
	in.cut(basePath)
	return in.serve(ctx, h).v2(), nil
}

func serveV1(ctx context.Context, h http.Handler, basePath string, event []byte) (any, error) {
	var e events.APIGatewayProxyRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, ErrEvent
	}
	in := incoming{
		method: e.HTTPMethod, path: e.Path, query: queryV1(e).Encode(), header: http.Header{},
		body: e.Body, base64: e.IsBase64Encoded, requestID: e.RequestContext.RequestID,
		host: e.RequestContext.DomainName, source: e.RequestContext.Identity.SourceIP,
	}
	for name, value := range e.Headers {
		in.header.Set(name, value)
	}
	for name, values := range e.MultiValueHeaders {
		in.header[http.CanonicalHeaderKey(name)] = values
	}
	// A REST API has cut the stage off the path, but the caller's had it, unless it came by a custom domain. An HTTP API
	// that sends payload 1.0 leaves it in both.
	if before, ok := strings.CutSuffix(e.RequestContext.Path, e.Path); ok && before != "" {
		in.prefix = before
	} else if stage := e.RequestContext.Stage; stage != "" && stage != "$default" {
		in.cut("/" + stage)
	}
	in.cut(basePath)
	return in.serve(ctx, h).v1(), nil
}

func queryV1(e events.APIGatewayProxyRequest) url.Values {
	query := url.Values{}
	for name, value := range e.QueryStringParameters {
		query.Set(name, value)
	}
	for name, values := range e.MultiValueQueryStringParameters {
		query[name] = values
	}
	return query
}

// incoming is what both forms say.
type incoming struct {
	method, path, prefix, query string
	header                      http.Header
	body                        string
	base64                      bool
	requestID, host, source     string
}

// cut moves a prefix of whole segments from the path to where links find it.
func (in *incoming) cut(prefix string) {
	rest, ok := strings.CutPrefix(in.path, prefix)
	if prefix == "" || !ok || rest != "" && !strings.HasPrefix(rest, "/") {
		return
	}
	in.path, in.prefix = rest, in.prefix+prefix
}

func (in *incoming) serve(ctx context.Context, h http.Handler) *recorder {
	w := &recorder{header: http.Header{}}
	body := []byte(in.body)
	if in.base64 {
		decoded, err := base64.StdEncoding.DecodeString(in.body)
		if err != nil {
			http.Error(w, "the body is not base64, which the gateway says it is", http.StatusBadRequest)
			return w
		}
		body = decoded
	}
	ctx = WithInfo(ctx, Info{RequestID: in.requestID, Prefix: in.prefix})
	r := (&http.Request{
		Method: in.method, URL: in.url(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: in.header,
		Body: http.NoBody, ContentLength: int64(len(body)), Host: in.host, RemoteAddr: in.source, RequestURI: in.path,
	}).WithContext(ctx)
	if len(body) > 0 {
		r.Body = readCloser{bytes.NewReader(body)}
	}
	h.ServeHTTP(w, r)
	if in.method == http.MethodHead {
		w.body.Reset()
	}
	return w
}

// url takes the path as it came, whether the gateway has decoded it (an HTTP API does) or not.
func (in *incoming) url() *url.URL {
	path := in.path
	if path == "" {
		path = "/"
	}
	u := &url.URL{Path: path, RawQuery: in.query}
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	return u
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // informational ones cannot be passed on
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// text is the body as JSON can carry it: what is no text, or is compressed, goes as base64.
func (w *recorder) text() (body string, isBase64 bool) {
	w.WriteHeader(http.StatusOK)
	if w.sent.Get("Content-Encoding") != "" || !utf8.Valid(w.body.Bytes()) {
		return base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return w.body.String(), false
}

func (w *recorder) v2() events.APIGatewayV2HTTPResponse {
	body, isBase64 := w.text()
	out := events.APIGatewayV2HTTPResponse{
		StatusCode: w.status, Headers: map[string]string{}, Cookies: w.sent["Set-Cookie"], Body: body, IsBase64Encoded: isBase64,
	}
	for name, values := range w.sent {
		if name != "Set-Cookie" {
			out.Headers[name] = strings.Join(values, ", ")
		}
	}
	return out
}

func (w *recorder) v1() events.APIGatewayProxyResponse {
	body, isBase64 := w.text()
	return events.APIGatewayProxyResponse{
		StatusCode: w.status, MultiValueHeaders: w.sent, Body: body, IsBase64Encoded: isBase64,
	}
}

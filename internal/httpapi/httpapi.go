// Package httpapi puts an http.Handler behind an HTTP API of API Gateway: it turns the API's events (payload format 2.0)
// into requests, and what the handler answers into the function's response. internal/emulator/apigateway is the other
// side.
//
// Both forms are those of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
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
	// Prefix is the stage that stood before the path: "/prod", or "" for the default one. The handler does not see it;
	// the writer of a link puts it in front.
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

// ErrEvent says that an event is not one of an HTTP API.
var ErrEvent = errors.New("the event is not of API Gateway's payload format 2.0")

// Handler makes a Lambda handler of h.
func Handler(h http.Handler) func(context.Context, json.RawMessage) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, event json.RawMessage) (events.APIGatewayV2HTTPResponse, error) {
		var e events.APIGatewayV2HTTPRequest
		if json.Unmarshal(event, &e) != nil || e.Version != "2.0" {
			return events.APIGatewayV2HTTPResponse{}, ErrEvent
		}
		w := &recorder{header: http.Header{}}
		r, err := request(ctx, e)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return w.response(), nil
		}
		h.ServeHTTP(w, r)
		if r.Method == http.MethodHead {
			w.body.Reset()
		}
		return w.response(), nil
	}
}

func request(ctx context.Context, e events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, errors.New("the body is not base64, which the gateway says it is")
		}
	}
	path, prefix := withoutStage(e.RawPath, e.RequestContext.Stage)
	ctx = WithInfo(ctx, Info{RequestID: e.RequestContext.RequestID, Prefix: prefix})
	r := (&http.Request{
		Method: e.RequestContext.HTTP.Method, URL: address(path, e.RawQueryString), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, ContentLength: int64(len(body)), Host: e.RequestContext.DomainName,
		RemoteAddr: e.RequestContext.HTTP.SourceIP, RequestURI: path,
	}).WithContext(ctx)
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	if len(e.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r, nil
}

// withoutStage moves the stage, a whole segment, from the path to where links find it.
func withoutStage(path, stage string) (rest, prefix string) {
	rest, ok := strings.CutPrefix(path, "/"+stage)
	if stage == "" || stage == "$default" || !ok || rest != "" && !strings.HasPrefix(rest, "/") {
		return path, ""
	}
	return rest, "/" + stage
}

// address takes the path as it came, whether the gateway has decoded it or not.
func address(path, query string) *url.URL {
	if path == "" {
		path = "/"
	}
	u := &url.URL{Path: path, RawQuery: query}
	if decoded, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = decoded, path
	}
	return u
}

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

// response has the body as JSON can carry it: what is no text, or is compressed, goes as base64.
func (w *recorder) response() events.APIGatewayV2HTTPResponse {
	w.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{
		StatusCode: w.status, Headers: map[string]string{}, Cookies: w.sent["Set-Cookie"], Body: w.body.String(),
	}
	if w.sent.Get("Content-Encoding") != "" || !utf8.Valid(w.body.Bytes()) {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	for name, values := range w.sent {
		if name != "Set-Cookie" {
			out.Headers[name] = strings.Join(values, ", ")
		}
	}
	return out
}

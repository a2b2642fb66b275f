package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/scenario-archive/scenario-archive/internal/emulator/apigateway"
)

// maxPayload is what API Gateway takes (quotas for HTTP APIs: payload size).
const maxPayload = 10 << 20

// gateway does what an HTTP API does: it turns requests into events for the function's handler (payload 2.0), and what
// that answers into responses.
func gateway(api http.Handler) http.Handler {
	handle := apigateway.Handler(api, "")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
		if err != nil {
			message(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
			return
		}
		event, err := json.Marshal(eventOf(r, body))
		if err != nil {
			message(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		out, err := handle(r.Context(), event)
		if err != nil {
			message(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
		answer(w, out.(events.APIGatewayV2HTTPResponse))
	})
}

func eventOf(r *http.Request, body []byte) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true,
	}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	e.RequestContext = events.APIGatewayV2HTTPRequestContext{Stage: "$default", DomainName: r.Host}
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: host, UserAgent: r.UserAgent(),
	}
	return e
}

func answer(w http.ResponseWriter, out events.APIGatewayV2HTTPResponse) {
	for name, value := range out.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(out.StatusCode)
	body := []byte(out.Body)
	if out.IsBase64Encoded {
		body, _ = base64.StdEncoding.DecodeString(out.Body)
	}
	_, _ = w.Write(body)
}

// authorised is the gateway's authoriser. It refuses before the API sees the request.
func authorised(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", "Bearer")
			message(w, http.StatusUnauthorized, "Unauthorized")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func message(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": text})
}

package apigateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/scenario-archive/scenario-archive/internal/emulator"
)

const defaultRoute = "$default"

// newEvent is a request in payload format 2.0.
func newEvent(r *http.Request, body []byte, now time.Time) events.APIGatewayV2HTTPRequest {
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	prefix, _, _ := strings.Cut(r.Host, ".")
	text, isBase64 := encode(r.Header.Get("Content-Type"), body)
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: defaultRoute, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Headers: headers(r), Cookies: cookies(r),
		QueryStringParameters: query(r), Body: text, IsBase64Encoded: isBase64,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			AccountID: emulator.Account, APIID: "local", DomainName: r.Host, DomainPrefix: prefix, RequestID: rand.Text()[:16],
			RouteKey: defaultRoute, Stage: defaultRoute, Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
		},
	}
}

// headers have lower-case names; those that came more than once are joined with commas. Cookies have a place of their
// own.
func headers(r *http.Request) map[string]string {
	all := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		if name != "Cookie" {
			all[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return all
}

func cookies(r *http.Request) (all []string) {
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			all = append(all, strings.TrimSpace(cookie))
		}
	}
	return all
}

func query(r *http.Request) map[string]string {
	all := map[string]string{}
	for name, values := range r.URL.Query() {
		all[name] = strings.Join(values, ",")
	}
	return all
}

// encode leaves a body as text when its type says that it is text, and makes it base64 otherwise.
func encode(contentType string, body []byte) (text string, isBase64 bool) {
	media, _, _ := mime.ParseMediaType(contentType)
	isText := strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/xml" ||
		media == "application/javascript" || strings.HasSuffix(media, "+json")
	if len(body) == 0 || isText && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

var errNoAnswer = errors.New("it is no object with a statusCode from 200 to 599")

// readAnswer takes the full form alone; API Gateway would also take any JSON without a status for a body.
func readAnswer(result []byte) (a events.APIGatewayV2HTTPResponse, body []byte, err error) {
	if json.Unmarshal(result, &a) != nil || a.StatusCode < 200 || a.StatusCode > 599 {
		return a, nil, errNoAnswer
	}
	if a.IsBase64Encoded {
		body, err = base64.StdEncoding.DecodeString(a.Body)
		return a, body, err
	}
	return a, []byte(a.Body), nil
}

// hopByHop are the headers that belong to the connection, which is the gateway's own.
var hopByHop = map[string]bool{
	"Connection": true, "Content-Length": true, "Keep-Alive": true, "Transfer-Encoding": true, "Upgrade": true, "Trailer": true,
}

func write(w http.ResponseWriter, a events.APIGatewayV2HTTPResponse, body []byte) {
	set := func(name string, values ...string) {
		if name = http.CanonicalHeaderKey(name); !hopByHop[name] {
			w.Header()[name] = values
		}
	}
	for name, value := range a.Headers {
		set(name, value)
	}
	for name, values := range a.MultiValueHeaders {
		set(name, values...)
	}
	if len(a.Cookies) > 0 {
		set("Set-Cookie", a.Cookies...)
	}
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(body) // the caller has gone; or it must not have one (HEAD, 204)
}

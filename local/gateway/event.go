package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// event is a request in payload format 2.0.
type event struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQuery        string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	Context         eventContext      `json:"requestContext"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type eventContext struct {
	AccountID    string    `json:"accountId"`
	APIID        string    `json:"apiId"`
	DomainName   string    `json:"domainName"`
	DomainPrefix string    `json:"domainPrefix"`
	HTTP         eventHTTP `json:"http"`
	RequestID    string    `json:"requestId"`
	RouteKey     string    `json:"routeKey"`
	Stage        string    `json:"stage"`
	Time         string    `json:"time"`
	TimeEpoch    int64     `json:"timeEpoch"` // milliseconds
}

type eventHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

const defaultRoute = "$default"

func newEvent(r *http.Request, body []byte, now time.Time) event {
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	prefix, _, _ := strings.Cut(r.Host, ".")
	e := event{
		Version: "2.0", RouteKey: defaultRoute, RawPath: r.URL.Path, RawQuery: r.URL.RawQuery, Headers: map[string]string{},
		Context: eventContext{
			AccountID: "000000000000", APIID: "local", DomainName: r.Host, DomainPrefix: prefix, RequestID: requestID(),
			RouteKey: defaultRoute, Stage: defaultRoute, Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: eventHTTP{r.Method, r.URL.Path, r.Proto, source, r.UserAgent()},
		},
	}
	e.headers(r)
	e.query(r)
	e.body(r.Header.Get("Content-Type"), body)
	return e
}

// headers have lower-case names; those that came more than once are joined with commas. Cookies stand apart.
func (e *event) headers(r *http.Request) {
	for name, values := range r.Header {
		if name != "Cookie" {
			e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	e.Headers["host"] = r.Host
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			e.Cookies = append(e.Cookies, strings.TrimSpace(cookie))
		}
	}
}

func (e *event) query(r *http.Request) {
	for name, values := range r.URL.Query() {
		if e.Query == nil {
			e.Query = map[string]string{}
		}
		e.Query[name] = strings.Join(values, ",")
	}
}

// body goes as text when its type says that it is text, and as base64 otherwise.
func (e *event) body(contentType string, body []byte) {
	media, _, _ := mime.ParseMediaType(contentType)
	text := strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/xml" ||
		media == "application/javascript" || strings.HasSuffix(media, "+json")
	if len(body) == 0 || text && utf8.Valid(body) {
		e.Body = string(body)
		return
	}
	e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
}

// answer is what a function says to payload format 2.0.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
	body              []byte
}

var errNoAnswer = errors.New("it is no object with a statusCode from 200 to 599")

// readAnswer takes the full form alone; API Gateway would also take any JSON without a status for a body.
func readAnswer(result []byte) (a answer, err error) {
	if json.Unmarshal(result, &a) != nil || a.StatusCode < 200 || a.StatusCode > 599 {
		return a, errNoAnswer
	}
	a.body = []byte(a.Body)
	if a.IsBase64Encoded {
		a.body, err = base64.StdEncoding.DecodeString(a.Body)
	}
	return a, err
}

// hopByHop are the headers that belong to the connection, which is the front's own.
var hopByHop = map[string]bool{
	"Connection": true, "Content-Length": true, "Keep-Alive": true, "Transfer-Encoding": true, "Upgrade": true, "Trailer": true,
}

func (a answer) write(w http.ResponseWriter) {
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
	_, _ = w.Write(a.body) // the caller has gone; or it must not have one (HEAD, 204)
}

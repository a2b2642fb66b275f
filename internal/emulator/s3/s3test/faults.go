package s3test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Fault is what happens to one request to S3.
type Fault int

// The faults. Those without a comment are answers; see refusals.
const (
	NoFault Fault = iota
	SlowDown
	Internal
	ErrorIn200
	LostAnswer // S3 does it, the client does not hear of it
	CutBody    // the connection breaks while the body goes
	Swallow    // the connection breaks before S3 hears of it
	Denied
	Throttled
	KMSThrottled
	Conflicting
)

// Operation names a request of S3 by its method and query; "label" is a part of the last two numbers.
func Operation(r *http.Request) string {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		return "create"
	case r.Method == http.MethodPost && q.Has("uploadId"):
		return "complete"
	case r.Method == http.MethodPut && q.Has("uploadId"):
		if n := q.Get("partNumber"); n == "9999" || n == "10000" {
			return "label"
		}
		return "part"
	case r.Method == http.MethodPut:
		return "put"
	case r.Method == http.MethodDelete:
		return "abort"
	case q.Has("uploadId"):
		return "listParts"
	case q.Has("uploads"):
		return "listUploads"
	case r.Method == http.MethodHead:
		return "head"
	}
	return "get"
}

// FaultProxy stands before the real server and does what decide says. decide may be called by many at once.
func (s *Server) FaultProxy(t testing.TB, withTLS bool, decide func(op string, r *http.Request) Fault) *httptest.Server {
	t.Helper()
	backend, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: s.TLS.Clone(), MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	forward := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { // the signature covers Host: it stays
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = backend.Scheme, backend.Host, p.In.Host
		},
		Transport: transport, ErrorLog: log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { cutOff() },
	}
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := NoFault
		if decide != nil {
			f = decide(Operation(r), r)
		}
		apply(f, forward, w, r)
	}))
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
	if withTLS {
		proxy.StartTLS()
	} else {
		proxy.Start()
	}
	t.Cleanup(proxy.Close)
	return proxy
}

// refusals are the answers of the faults that are no more than an answer.
var refusals = map[Fault]struct {
	status int
	code   string
}{
	SlowDown:     {http.StatusServiceUnavailable, "SlowDown"},
	Internal:     {http.StatusInternalServerError, "InternalError"},
	ErrorIn200:   {http.StatusOK, "InternalError"},
	Denied:       {http.StatusForbidden, "AccessDenied"},
	Throttled:    {http.StatusBadRequest, "ThrottlingException"},
	KMSThrottled: {http.StatusBadRequest, "KMS.ThrottlingException"},
	Conflicting:  {http.StatusConflict, "ConditionalRequestConflict"},
}

func apply(f Fault, forward http.Handler, w http.ResponseWriter, r *http.Request) {
	switch f {
	case NoFault:
		forward.ServeHTTP(w, r)
	case LostAnswer:
		forward.ServeHTTP(httptest.NewRecorder(), r)
		cutOff()
	case CutBody:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		cutOff()
	case Swallow:
		cutOff()
	default:
		Refuse(w, refusals[f].status, refusals[f].code)
	}
}

func cutOff() { panic(http.ErrAbortHandler) }

// Refuse answers a request as S3 does.
func Refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<?xml version=\"1.0\"?>\n<Error><Code>"+code+"</Code><Message>by the test</Message></Error>")
}

// Through is a client of the proxy.
func (s *Server) Through(t testing.TB, proxy *httptest.Server) *s3.Client {
	t.Helper()
	roots := proxy.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return s.NewClient(proxy.URL, awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: roots}
	}))
}

// Failing fails the first count requests of one operation.
func Failing(op string, f Fault, count int) func(string, *http.Request) Fault {
	var mu sync.Mutex
	return func(got string, _ *http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if got != op || count == 0 {
			return NoFault
		}
		count--
		return f
	}
}

package transfer

import (
	"bytes"
	"context"
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
	"github.com/scenario-archive/scenario-archive/internal/emulator/s3/s3test"
)

// fault is what happens to one request to S3.
type fault int

const (
	noFault      fault = iota
	slowDown           // 503 before the body is read
	internal           // 500
	errorIn200         // status 200 with an error as body
	lostAnswer         // S3 does it, the client does not hear of it
	cutBody            // the connection breaks while the body goes
	swallow            // the connection breaks before S3 hears of it
	denied             // 403
	throttled          // 400 ThrottlingException
	kmsThrottled       // 400 KMS.ThrottlingException
	conflicting        // 409 ConditionalRequestConflict
)

// operation names a request of S3 by its method and query.
func operation(r *http.Request) string {
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

// newFaultProxy stands before the real server and does what decide says. decide may be called by many at once.
func newFaultProxy(t testing.TB, server *s3test.Server, withTLS bool, decide func(op string, r *http.Request) fault) *httptest.Server {
	t.Helper()
	backend, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: server.TLS.Clone(), MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	forward := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { // the signature covers Host: it stays
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = backend.Scheme, backend.Host, p.In.Host
		},
		Transport: transport, ErrorLog: log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { cut() },
	}
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := noFault
		if decide != nil {
			f = decide(operation(r), r)
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

func apply(f fault, forward http.Handler, w http.ResponseWriter, r *http.Request) {
	switch f {
	case noFault:
		forward.ServeHTTP(w, r)
	case slowDown:
		s3Error(w, http.StatusServiceUnavailable, "SlowDown")
	case internal:
		s3Error(w, http.StatusInternalServerError, "InternalError")
	case errorIn200:
		s3Error(w, http.StatusOK, "InternalError")
	case denied:
		s3Error(w, http.StatusForbidden, "AccessDenied")
	case throttled:
		s3Error(w, http.StatusBadRequest, "ThrottlingException")
	case kmsThrottled:
		s3Error(w, http.StatusBadRequest, "KMS.ThrottlingException")
	case conflicting:
		s3Error(w, http.StatusConflict, "ConditionalRequestConflict")
	case lostAnswer:
		forward.ServeHTTP(httptest.NewRecorder(), r)
		cut()
	case cutBody:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		cut()
	case swallow:
		cut()
	}
}

func s3Error(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<?xml version=\"1.0\"?>\n<Error><Code>"+code+"</Code><Message>as told</Message></Error>")
}

// throughProxy is a client of the proxy.
func throughProxy(t testing.TB, server *s3test.Server, proxy *httptest.Server) *s3.Client {
	t.Helper()
	roots := proxy.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return server.NewClient(proxy.URL, awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: roots}
	}))
}

// failing fails the first count requests of one operation.
func failing(op string, f fault, count int) func(string, *http.Request) fault {
	var mu sync.Mutex
	return func(got string, _ *http.Request) fault {
		mu.Lock()
		defer mu.Unlock()
		if got != op || count == 0 {
			return noFault
		}
		count--
		return f
	}
}

// hookedS3 lets a test act at an instant of the transfer.
type hookedS3 struct {
	S3
	once          sync.Once
	beforePublish func()
}

func (h *hookedS3) PutObject(ctx context.Context, in *s3.PutObjectInput, f ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	h.once.Do(h.beforePublish)
	return h.S3.PutObject(ctx, in, f...)
}

func (h *hookedS3) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput, f ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	h.once.Do(h.beforePublish)
	return h.S3.CompleteMultipartUpload(ctx, in, f...)
}

func putPlain(t testing.TB, server *s3test.Server, key string, data []byte) {
	t.Helper()
	if _, err := server.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: &key, Body: bytes.NewReader(data)}); err != nil {
		t.Error(err)
	}
}

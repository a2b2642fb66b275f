package objects

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scenario-archive/scenario-archive/internal/emulator/sfn/asl"
)

// answer is what the server says next; it notes the request.
type answer struct {
	status        int
	body, request string
	kind          string
}

func bucket(t *testing.T, a *answer) Bucket {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.request, a.kind = r.Method+" "+r.URL.String()+" "+string(body), r.Header.Get("Content-Type")
		w.Header().Set("ETag", `"e"`)
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	return Bucket{s3.New(s3.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", UsePathStyle: true, HTTPClient: server.Client(), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "key"}, nil
		}),
	})}
}

func TestOpenObject(t *testing.T) {
	t.Parallel()
	a := &answer{status: 200, body: "content"}
	b := bucket(t, a)
	body, etag, err := b.OpenObject(t.Context(), asl.Object{Bucket: "b", Key: "a/k.json"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if err != nil || string(text) != "content" || etag != `"e"` || !strings.Contains(a.request, "GET /b/a/k.json") {
		t.Errorf("got %q, %q, %v for %s", text, etag, err, a.request)
	}
	a.status, a.body = 404, `<Error><Code>NoSuchKey</Code><Message>it is not there</Message></Error>`
	if _, _, err := b.OpenObject(t.Context(), asl.Object{Bucket: "b", Key: "k"}); err == nil || !strings.HasPrefix(err.Error(), "NoSuchKey") {
		t.Errorf("got %v", err)
	}
}

func TestPutObject(t *testing.T) {
	t.Parallel()
	a := &answer{status: 200}
	b := bucket(t, a)
	if err := b.PutObject(t.Context(), "b", "p/manifest.json", strings.NewReader("[1]"), 3); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.request, "PUT /b/p/manifest.json") || !strings.Contains(a.request, "[1]") || a.kind != "application/json" {
		t.Errorf("got %s, %s", a.request, a.kind)
	}
	if err := b.PutObject(t.Context(), "b", "p/x", strings.NewReader(""), 0); err != nil || a.kind != "application/octet-stream" {
		t.Errorf("got %v, %s", err, a.kind)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.PutObject(ctx, "b", "k", strings.NewReader(""), 0); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("got %v", err)
	}
}

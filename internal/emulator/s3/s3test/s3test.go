// Package s3test gives tests a real S3 server: the one of package s3, or any endpoint named by S3TEST_ENDPOINT (with the
// SDK's usual variables for credentials and region).
package s3test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	emulator "github.com/scenario-archive/scenario-archive/internal/emulator/s3"
)

// Server is a server with a bucket of the test's own.
type Server struct {
	emulator.Access
	Bucket string `json:"bucket"`

	TLS    *tls.Config `json:"-"` // trusts the server; nil for one with a public certificate
	Client *s3.Client  `json:"-"`
}

var shared = sync.OnceValues(start)

// Start returns the test process's server, started at the first call, with a fresh bucket that is emptied at the test's
// end. The first time on a machine it builds the server, which takes a minute or two.
func Start(t testing.TB) *Server {
	t.Helper()
	base, err := shared()
	if err != nil {
		t.Fatalf("no S3 server: %v", err)
	}
	s := *base
	s.Bucket = "test-" + strings.ToLower(rand.Text())
	s.Client = s.NewClient(s.Endpoint, nil)
	if _, err := s.Client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Fatalf("make bucket: %v", err)
	}
	t.Cleanup(func() { s.removeBucket(t) })
	return &s
}

// NewClient makes a client for the server behind another endpoint, a proxy say. httpClient nil takes the SDK's own, which
// trusts the server then.
func (s *Server) NewClient(endpoint string, httpClient s3.HTTPClient) *s3.Client {
	if httpClient == nil {
		httpClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.TLSClientConfig = s.TLS.Clone() })
	}
	return s.Access.Client(httpClient, func(o *s3.Options) { o.BaseEndpoint = &endpoint })
}

// Uploads are the IDs of the multipart uploads that are unfinished, by key.
func (s *Server) Uploads(t testing.TB) map[string][]string {
	t.Helper()
	out, err := s.Client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.Bucket})
	if err != nil {
		t.Fatalf("list uploads: %v", err)
	}
	found := map[string][]string{}
	for _, u := range out.Uploads {
		found[*u.Key] = append(found[*u.Key], *u.UploadId)
	}
	return found
}

// Put writes an object and returns its ETag, without quotes.
func (s *Server) Put(t testing.TB, key, content string) (etag string) {
	t.Helper()
	out, err := s.Client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return strings.Trim(*out.ETag, `"`)
}

// Object is an object's content, and whether there is one.
func (s *Server) Object(t testing.TB, key string) (content []byte, exists bool) {
	t.Helper()
	out, err := s.Client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, false
	}
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	defer out.Body.Close()
	content, err = io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return content, true
}

func (s *Server) removeBucket(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if uploads, err := s.Client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &s.Bucket}); err == nil {
		for _, u := range uploads.Uploads {
			_, _ = s.Client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.Bucket, Key: u.Key, UploadId: u.UploadId})
		}
	}
	objects, err := s.Client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.Bucket})
	if err != nil {
		t.Logf("bucket %s stays: %v", s.Bucket, err)
		return
	}
	for _, o := range objects.Contents {
		_, _ = s.Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: o.Key})
	}
	if _, err := s.Client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Logf("bucket %s stays: %v", s.Bucket, err)
	}
}

// start runs the server for the life of this process.
func start() (*Server, error) {
	if endpoint := os.Getenv("S3TEST_ENDPOINT"); endpoint != "" {
		return &Server{Access: emulator.Access{Endpoint: endpoint, AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), Region: os.Getenv("AWS_REGION")}}, nil
	}
	server, err := emulator.Start(context.Background(), emulator.Config{})
	if err != nil {
		return nil, err
	}
	s := &Server{Access: server.Access}
	return s, s.Trust()
}

// Trust reads the server's authority, for a Server that came from another process as JSON.
func (s *Server) Trust() (err error) {
	s.TLS, err = s.Access.TLS()
	return err
}

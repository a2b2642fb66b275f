package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const readyPoll = 25 * time.Millisecond

// waitReady asks until the server answers a real, signed request over TLS, and makes the bucket.
func (s *Server) waitReady(ctx context.Context, bucket string) error {
	client, closeIdle, err := s.client()
	if err != nil {
		return err
	}
	defer closeIdle()
	for {
		if _, err = client.ListBuckets(ctx, &awss3.ListBucketsInput{}); err == nil {
			break
		}
		select {
		case <-s.child.done:
			return s.endedEarly()
		case <-ctx.Done():
			return fmt.Errorf("no answer in time: %w (last: %v)\n%s", ctx.Err(), err, s.Stderr())
		case <-time.After(readyPoll):
		}
	}
	if bucket == "" {
		return nil
	}
	return createBucket(ctx, client, bucket)
}

func (s *Server) endedEarly() error {
	text := s.Stderr()
	if strings.Contains(text, "address already in use") {
		return errPortTaken
	}
	return fmt.Errorf("the server ended at once (%v): %s", s.child.err, text)
}

func createBucket(ctx context.Context, client *awss3.Client, bucket string) error {
	_, err := client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: &bucket})
	var owned *types.BucketAlreadyOwnedByYou
	var exists *types.BucketAlreadyExists
	if err != nil && !errors.As(err, &owned) && !errors.As(err, &exists) {
		return fmt.Errorf("make bucket %q: %w", bucket, err)
	}
	return nil
}

func (s *Server) client() (client *awss3.Client, closeIdle func(), err error) {
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("%s holds no certificate", s.CAFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return awss3.New(awss3.Options{
		Region: s.Region, BaseEndpoint: &s.Endpoint, UsePathStyle: true,
		Credentials:      credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, ""),
		HTTPClient:       &http.Client{Transport: transport, Timeout: 5 * time.Second},
		RetryMaxAttempts: 1, Retryer: aws.NopRetryer{},
	}), transport.CloseIdleConnections, nil
}

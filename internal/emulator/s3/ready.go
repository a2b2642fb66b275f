package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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

// client asks once, and not for long.
func (s *Server) client() (client *awss3.Client, closeIdle func(), err error) {
	trust, err := s.TLS()
	if err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{TLSClientConfig: trust}
	by := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	return s.Client(by, func(o *awss3.Options) { o.Retryer = aws.NopRetryer{} }), transport.CloseIdleConnections, nil
}

package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const readyPoll = 25 * time.Millisecond

// waitReady asks until the server answers a real, signed request over TLS, and makes the bucket.
func (s *Server) waitReady(ctx context.Context, bucket string) error {
	client, closeIdle, err := s.Connect(5*time.Second, func(o *awss3.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return err
	}
	defer closeIdle()
	for {
		if _, err = client.ListBuckets(ctx, &awss3.ListBucketsInput{}); err == nil {
			break
		}
		select {
		case <-s.done:
			return s.endedEarly()
		case <-ctx.Done():
			return fmt.Errorf("no answer in time: %w (last: %v)\n%s", ctx.Err(), err, s.Stderr())
		case <-time.After(readyPoll):
		}
	}
	if bucket == "" {
		return nil
	}
	_, err = client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: &bucket})
	var owned *types.BucketAlreadyOwnedByYou
	var exists *types.BucketAlreadyExists
	if err != nil && !errors.As(err, &owned) && !errors.As(err, &exists) {
		return fmt.Errorf("make bucket %q: %w", bucket, err)
	}
	return nil
}

func (s *Server) endedEarly() error {
	text := s.Stderr()
	if strings.Contains(text, "address already in use") {
		return errPortTaken
	}
	return fmt.Errorf("the server ended at once (%v): %s", s.cmd.ProcessState, text)
}

// tail keeps the last bytes written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > tailBytes {
		t.b = append([]byte(nil), t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
